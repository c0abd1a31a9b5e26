-- The handbook's filter, for both engines: what a whole-book document (PDF, EPUB) needs that a site does not.

local function whole_book() return not FORMAT:match 'html' end

-- Tabs stand under one another, each with its name; Quarto would number them as sections.
local function tabset(div)
  if not whole_book() or not div.classes:includes 'panel-tabset' then return nil end
  local level = div.content[1] and div.content[1].level
  return div.content:map(function(block)
    if block.t == 'Header' and block.level == level then return pandoc.Para { pandoc.Strong(block.content) } end
    return block
  end)
end

-- What a page gives, in one line instead of a list.
local function page_facts(div)
  if not whole_book() or not div.classes:includes 'page-facts' then return nil end
  local line = pandoc.Inlines {}
  for place, item in ipairs(div.content[1].content) do
    if place > 1 then line:extend { pandoc.Space(), pandoc.Str '·', pandoc.Space() } end
    line:extend(item[1].content)
  end
  return pandoc.Para(line)
end

-- A link to a section of another chapter stays inside the document.
local function link(element)
  local id = whole_book() and element.target:match '%.qmd(#.+)$'
  if not id or element.target:match '^%a+:' then return nil end
  element.target = id
  return element
end

return { { Div = function(div) return tabset(div) or page_facts(div) end, Link = link } }
