-- The handbook's filter, for both engines: what a whole-book document (PDF, EPUB) needs that a site does not.

local glossary = require 'glossary'
local picture = require 'pictures'[1].Image

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

-- Quarto's book lays a part's contents over the whole page, so the part's own text begins on the next. It draws the
-- part's title as no heading: the outline beside the pages gets one that the page doesn't show.
local function part(raw)
  local title = raw.format == 'typst' and raw.text:match '^#part%[(.*)%]$'
  if not title then return nil end
  local listed = '#{ show heading: none; heading(level: 1, numbering: none, outlined: false, bookmarked: true)[%s] }'
  return { raw, pandoc.RawBlock('typst', '#pagebreak()\n' .. listed:format(title)) }
end

-- On a phone each row of a wide table is a card: its cells say what their column is.
local function cards(element)
  local heads = element.head.rows[1]
  if not heads or #element.head.rows > 1 or #heads.cells < 3 then return nil end
  local labels = heads.cells:map(function(cell) return pandoc.utils.stringify(cell.contents) end)
  for _, body in ipairs(element.bodies) do
    for _, row in ipairs(body.body) do
      if #row.cells ~= #labels then return nil end
      for place, cell in ipairs(row.cells) do cell.attributes.label = labels[place] end
    end
  end
  element.classes:insert 'cards'
  return element
end

-- In a document of pages a column of numbers is right, one of words is left; Typst would centre both.
local function columns(element)
  for place, column in ipairs(element.colspecs) do
    local numbers, words = 0, 0
    for _, body in ipairs(element.bodies) do
      for _, row in ipairs(body.body) do
        local text = row.cells[place] and pandoc.utils.stringify(row.cells[place].contents) or ''
        if text:match '^[%d.,%s]+%%?$' then numbers = numbers + 1 elseif text:match '%w' then words = words + 1 end
      end
    end
    if column[1] == 'AlignDefault' then
      element.colspecs[place] = { numbers > 0 and words == 0 and 'AlignRight' or 'AlignLeft', column[2] }
    end
  end
  return element
end

-- Visiting each link of a site's page would cost the preview milliseconds, and a page needs no change there.
return { { Pandoc = function(doc)
  if FORMAT:match 'html' then return doc:walk { traverse = 'topdown', Table = cards, Span = glossary.link, Image = picture } end
  return doc:walk({ Span = glossary.link }):walk { Div = page_facts, Link = link, RawBlock = part, Table = columns, Image = picture }
end } }
