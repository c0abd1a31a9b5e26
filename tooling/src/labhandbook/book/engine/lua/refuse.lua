-- What the engine does not render as Quarto does. It names the construct instead of printing something else.

local refs = require 'refs'

local CALLOUTS = { note = true, tip = true, important = true, caution = true, warning = true }
local CLASSES = { '^column%-', '^panel%-[^t]', '^content%-', '^aside$', '^lightbox$', '^quarto%-' }
local ATTRIBUTES = { layout = true, ['layout-ncol'] = true, ['layout-nrow'] = true, ['lst-cap'] = true, ['lst-label'] = true,
                     ['code-line-numbers'] = true, ['fig-pos'] = true }
local DIAGRAMS = { mermaid = true, dot = true }
local FLOATS = { sec = true, fig = true, tbl = true }
local CROSSREFS = { sec = true, fig = true, tbl = true, eq = true }

-- Looks at the blocks. Returns what is wrong, and the functions that add to it what is wrong with a picture or a span, and
-- with the id of a citation: chapter.lua sees all of them anyway.
-- `home`: this is the site's first page, whose title is among its blocks.
return function(doc, home, title)
  local titles = home and 1 or 0
  local problems = pandoc.List {}
  local function blame(needle, what)
    problems:insert { kind = 'supported', needle = needle, message = what .. ' is not rendered by the embedded engine' }
  end
  local function unknown_callout(kind)
    problems:insert { kind = 'callout', needle = kind, message = kind .. ' is not a kind of callout' }
  end
  local function broken_title(needle, what)
    problems:insert { kind = 'supported', needle = needle, message = what .. ' in a title: say it in the text' }
  end
  title:walk {
    Note = function() broken_title('[^', 'Quarto shows the mark of a footnote') end,
    Cite = function(cite) broken_title('@' .. cite.citations[1].id, "Quarto's menu breaks at a reference") end,
  }
  local function attributes(element)
    for _, class in ipairs(element.classes) do
      for _, pattern in ipairs(CLASSES) do
        if class:match(pattern) then blame(class, 'the class .' .. class) end
      end
    end
    for name in pairs(element.attributes) do
      if ATTRIBUTES[name] then blame(name .. '=', 'the attribute ' .. name) end
    end
  end
  local function citation(id)
    local prefix = id:match '^(%a+)%-'
    if refs.is_crossref(id) and not CROSSREFS[prefix:lower()] then
      blame('@' .. id, 'a cross-reference of the kind @' .. prefix .. '-')
    end
  end
  doc:walk {
    Div = function(div)
      attributes(div)
      if div.classes:includes 'list-table' then blame('list-table', 'a .list-table that is no list of lists') end
      local kind = div.classes:find_if(function(class) return class:match '^callout%-' end)
      if kind and not CALLOUTS[kind:match '^callout%-(.*)$'] and not div.classes:includes 'callout' then unknown_callout(kind) end
      local float = div.identifier:match '^(%a+)%-'
      if float and not FLOATS[float] and refs.is_crossref(div.identifier) then
        blame('#' .. div.identifier, 'a div as a float (#' .. div.identifier .. ')')
      end
    end,
    CodeBlock = function(block)
      if block.classes:includes 'hb-cell' then return end
      attributes(block)
      for _, class in ipairs(block.classes) do
        if DIAGRAMS[class] then blame(class, 'a ' .. class .. ' diagram') end
        if class:match '^{' then blame(class, 'the executed cell ' .. class) end
      end
      if not block.text:find '<%d+>' then return end
      for line in (block.text .. '\n'):gmatch '(.-)\n' do
        local mark = line:match '%s(#%s*<)%d+>%s*$' or line:match '%s(//%s*<)%d+>%s*$' or line:match '%s(%-%-%s*<)%d+>%s*$'
          or line:match '%s(%%%s*<)%d+>%s*$' or line:match '(/%*%s*<)%d+>%s*%*/%s*$' or line:match '(<!%-%-%s*<)%d+>%s*%-%->%s*$'
        if mark then blame(mark, 'a code annotation'); break end
      end
    end,
    Figure = attributes,
    Header = function(header)
      if header.level == 1 then
        titles = titles - 1
        if titles >= 0 then return end
        blame('# ' .. pandoc.utils.stringify(header.content), 'a second title (level-1 heading) in a chapter')
      end
    end,
  }
  return problems, attributes, citation
end
