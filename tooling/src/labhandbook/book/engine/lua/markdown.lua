-- A page as plain Markdown under the name that Quarto's `llms-txt` gives it, page.llms.md: without HTML, its links leading
-- to the Markdown of the other pages.

local stringify = pandoc.utils.stringify

local function link(element)
  if stringify(element.content) == '' then return element.content end
  if not element.target:match '^%a[%w+.-]*:' then
    element.target = element.target:gsub('%.html$', '.llms.md'):gsub('%.html#', '.llms.md#')
  end
  element.title, element.attr = '', pandoc.Attr()
  return element
end

local function picture(source, alt) return pandoc.Image(alt, source, '', pandoc.Attr('', {}, { { 'alt', alt } })) end

local function image(element)
  local alt = element.attributes['fig-alt'] or element.attributes.alt
  return picture(element.src, alt or stringify(element.caption))
end

local NAMED = { quot = '"', lt = '<', gt = '>', amp = '&' }

-- A drawing that pictures.lua has put into the page is the picture that it was.
local function drawing(raw)
  local alt, source = raw.text:match '^<svg aria%-label="([^"]*)" data%-src="([^"]*)"'
  return source and picture(source, (alt:gsub('&(%a+);', NAMED)))
end

local function code(block)
  local name = block.attributes.filename
  block.attr = pandoc.Attr('', { block.classes[1] })
  return name and { pandoc.Para { pandoc.Strong(name) }, block } or block
end

local function equation(span)
  if not span.classes:includes 'equation' then return nil end
  span.content:extend { pandoc.Space(), pandoc.Str('(' .. span.attributes.number .. ')') }
  return span.content
end

-- `parts` are what page.lua knows of callouts, tabs, figures, tables and headings.
return function(doc, title, parts)
  local function div(element)
    if element.classes:includes 'panel-tabset' then
      local all = pandoc.Blocks {}
      for _, tab in ipairs(parts.tabs(element)) do
        all:insert(pandoc.Para { pandoc.Strong(tab.title) })
        all:extend(tab.content)
      end
      return all
    end
    local found = parts.callout(element)
    if not found then return element.content end
    local head = pandoc.Inlines(found.word and { pandoc.Strong(found.word:upper() .. ':'), pandoc.Space() } or {})
    if found.title then head:extend(found.title) end
    return pandoc.BlockQuote(pandoc.Blocks(#head > 0 and { pandoc.Para(head) } or {}) .. found.content)
  end
  doc = doc:walk { Link = link, Image = image, RawInline = drawing, CodeBlock = code, Span = equation, Div = div, Header = parts.header,
                   Table = parts.table, Figure = parts.figure }
  doc.blocks:insert(1, pandoc.Header(1, title))
  doc.meta = pandoc.Meta {}
  return pandoc.write(doc, 'gfm-raw_html', pandoc.WriterOptions { wrap_text = 'none' })
end
