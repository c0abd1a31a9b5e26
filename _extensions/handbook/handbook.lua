-- The handbook's filter, for both engines: what a whole-book document (PDF, EPUB) needs that a site does not.

-- The facts of a page, in one line instead of a list.
local function page_facts(div)
  if not div.classes:includes 'page-facts' then return nil end
  local line = pandoc.Inlines {}
  for place, item in ipairs(div.content[1].content) do
    if place > 1 then line:extend { pandoc.Space(), pandoc.Str '·', pandoc.Space() } end
    line:extend(item[1].content)
  end
  return pandoc.Para(line)
end

-- A link to a section of another chapter stays inside the document.
local function link(element)
  local id = element.target:match '%.qmd(#.+)$'
  if not id or element.target:match '^%a+:' then return nil end
  element.target = id
  return element
end

-- Quarto's book lays a part's contents over the whole page, so the part's own text begins on the next.
local function part(raw)
  if raw.format == 'typst' and raw.text:match '^#part%[' then
    return { raw, pandoc.RawBlock('typst', '#pagebreak()') }
  end
end

-- The pages of a site need no change, and visiting each of their links would cost the preview milliseconds.
return { { Pandoc = function(doc)
  if not FORMAT:match 'html' then return doc:walk { Div = page_facts, Link = link, RawBlock = part } end
end } }
