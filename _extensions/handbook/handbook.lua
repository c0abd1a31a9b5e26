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

-- A link to a section of another chapter stays inside the document.
local function link(element)
  local id = whole_book() and element.target:match '%.qmd(#.+)$'
  if not id or element.target:match '^%a+:' then return nil end
  element.target = id
  return element
end

return { { Div = tabset, Link = link } }
