-- Executed cells: their code, a line that says that it was not run, and what they label.

local shapes = require 'shapes'

local M = {}

local DIAGRAMS = { mermaid = true, dot = true }

local function off(value) return value ~= nil and value:lower() == 'false' end

-- The code without the comments that hold the cell's options.
local function without_options(text)
  local lines, begun = pandoc.List {}, false
  for line in (text .. '\n'):gmatch '(.-)\n' do
    begun = begun or not (line:match '^%s*#|' or line:match '^%s*//|' or line:match '^%s*%%%%|' or line:match '^%s*%-%-|')
    if begun then lines:insert(line) end
  end
  return table.concat(lines, '\n')
end

-- What stands for one cell.
local function cell(block)
  if not block.classes:includes 'hb-cell' then return nil end
  local options = block.attributes
  local language = block.classes[1]
  local content = pandoc.Blocks {}
  local hidden = off(options.include)
  if not hidden and not off(options.echo) then
    local id = options['lst-label'] or ''
    content:insert(pandoc.CodeBlock(without_options(block.text), pandoc.Attr(id, { language })))
  end
  if not hidden and not off(options.eval) then
    local what = DIAGRAMS[language] and 'This diagram is not drawn here.' or 'This code was not run here.'
    content:insert(pandoc.Div(pandoc.Para(pandoc.Inlines(what)), pandoc.Attr('', { 'not-run' })))
  end
  local label = options.label or ''
  local kind = label:match '^(fig)%-' or label:match '^(tbl)%-'
  if not kind then return content end
  local caption = options[kind .. '-cap'] or options['fig-cap'] or ''
  local parts = math.tointeger(tonumber(options.parts or '0')) or 0
  for part = 1, parts do
    content:insert(pandoc.Div({}, pandoc.Attr(label .. '-' .. part, { 'hb-part' })))
  end
  local long = caption ~= '' and { pandoc.Plain(shapes.markdown(caption)) } or {}
  return pandoc.Figure(content, { long = long }, pandoc.Attr(label, { 'cell-made' }))
end

-- The name of a file over a cell that was run is over its code.
local function named(div)
  local name, code = div.attributes.filename, div.content[1]
  if not div.classes:includes 'cell' or not name or not code or code.t ~= 'CodeBlock' then return nil end
  code.attributes.filename, div.attributes.filename = name, nil
  div.content[1] = code
  return div
end

-- A document with every cell replaced by what is shown of it; `text` is what it was read from.
function M.show(doc, text)
  if not text:find('cell', 1, true) then return doc end
  return doc:walk { CodeBlock = cell, Div = named }
end

return M
