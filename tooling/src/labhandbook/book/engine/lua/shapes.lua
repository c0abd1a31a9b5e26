-- The shapes that Quarto gives to what an author wrote in another way, before anything is numbered.

local list_table = require 'list_table'
local refs = require 'refs'

local M = {}

local PROOFS = { 'proof', 'remark', 'solution' }

function M.markdown(text) return pandoc.utils.blocks_to_inlines(pandoc.read(text, 'markdown').blocks) end

-- A picture alone in its paragraph is a figure if it has an id or is a link with a caption; pandoc makes the others.
local function figure(para)
  local held = para.content[1]
  if #para.content ~= 1 then return nil end
  local image = held.t == 'Link' and #held.content == 1 and held.content[1] or held
  if image.t ~= 'Image' then return nil end
  local id, caption = image.identifier, image.caption
  if not id:match '^fig%-' and (held.t ~= 'Link' or #caption == 0) then return nil end
  image.identifier, image.caption = '', pandoc.Inlines {}
  if held.t == 'Link' then held.content = pandoc.Inlines { image } else held = image end
  return pandoc.Figure({ pandoc.Plain { held } }, { long = #caption > 0 and { pandoc.Plain(caption) } or {} }, pandoc.Attr(id))
end

-- Whether a table has a link, and no cell over several rows or columns: on a page Quarto gives it no widths.
local function free(element)
  local linked = false
  element:walk { Link = function() linked = true end }
  if not linked then return false end
  local rows = element.head.rows .. element.foot.rows
  for _, body in ipairs(element.bodies) do rows = rows .. body.head .. body.body end
  for _, row in ipairs(rows) do
    if row.cells:find_if(function(cell) return cell.col_span ~= 1 or cell.row_span ~= 1 end) then return false end
  end
  return true
end

-- The widths of a table's columns: [40, 60] per cent, or none.
local function widths(element, page)
  local given = element.attributes['tbl-colwidths']
  local place, none = 0, given == 'false' or page and not given and free(element)
  if not given and not none then return nil end
  for width in (given or ''):gmatch '[%d.]+' do
    place = place + 1
    if element.colspecs[place] then element.colspecs[place][2] = tonumber(width) / 100 end
  end
  if none then element.colspecs = element.colspecs:map(function(column) return { column[1] } end) end
  element.attributes['tbl-colwidths'] = nil
  return element
end

local function div(element, page)
  local made = list_table(element)
  if made then return widths(made, page) or made end
  local kind = element.classes:find_if(function(class) return class:match '^callout%-' end)
  if not kind and element.classes:includes 'callout' then
    kind = 'callout-none'
    element.classes:insert(kind)
  end
  if kind then
    -- As a heading its references and citations are resolved like those of the text.
    local title = element.attributes.title
    if title then element.content:insert(1, pandoc.Header(6, M.markdown(title))) end
    element.attributes.title = nil
    return element
  end
  if element.classes:includes 'columns' then
    element.classes = element.classes:map(function(class) return class == 'columns' and 'hb-columns' or class end)
    return element
  end
  for _, class in ipairs(PROOFS) do
    local first = element.content[1]
    if element.classes:includes(class) and first and (first.t == 'Para' or first.t == 'Header') then
      local name = element.attributes.name or (first.t == 'Header' and pandoc.utils.stringify(first.content))
      if first.t == 'Header' then element.content:remove(1) end
      local lead = pandoc.Inlines { pandoc.Emph(refs.words['environment-' .. class .. '-title']) }
      if name then lead:extend { pandoc.Space(), pandoc.Str('(' .. name .. ')') } end
      lead:extend { pandoc.Str '.', pandoc.Space() }
      first = element.content[1]
      if first and first.t == 'Para' then
        first.content = lead .. first.content
        element.content[1] = first
      else
        element.content:insert(1, pandoc.Para(lead))
      end
      element.attributes.name = nil
      return element
    end
  end
end

-- A document with these shapes; `text` is what it was read from: to look at every paragraph costs more than reading it.
function M.give(doc, text, format)
  local function with(shape)
    return function(element) return shape(element, format == 'html') end
  end
  local filter = {
    Para = (text:find '#fig%-' or text:find('[![', 1, true)) and figure or nil, Div = (text:find ':::' or text:find '<div') and with(div) or nil,
    Table = text:find('---', 1, true) and with(widths) or nil,
  }
  return next(filter) and doc:walk(filter) or doc
end

return M
