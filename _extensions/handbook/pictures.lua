-- Pictures in the book's colours. A drawing with class="picture" in its file is put into the page itself, and each of
-- its colours that tokens.css knows becomes that token: so the picture follows the theme chosen on the page, which an
-- image file can't. In a PDF and an EPUB the file is shown as it is, in its light colours.

local TOKENS = '_extensions/handbook/tokens.css'
local root = quarto and quarto.project.directory or '.'
local MARK = '^<svg [^>]*class="picture"'
local LEAST = 12 -- pixels of the smallest text on a phone
local PHONE = 328 -- pixels that a picture in a step has there
local POINTS = 0.75 -- of a pixel: a picture's text is then as large as the PDF's own

local function read(path)
  local file = io.open(path, 'r')
  if not file then return nil end
  local text = file:read 'a'
  file:close()
  return text
end

-- The token of each light colour; where two have the same, the first one.
local names
local function tokens()
  if names then return names end
  names = {}
  for name, light in (read(pandoc.path.join { root, TOKENS }) or ''):gmatch '(%-%-hb%-[%w-]+): light%-dark%((#%x+),' do
    names[light] = names[light] or ('var(%s)'):format(name)
  end
  return names
end

local ESCAPES = { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' }
local function escape(text) return (text:gsub('[&<>"]', ESCAPES)) end

-- The folder of the page's pictures: pandoc gets the page's file, Quarto gives it a copy.
local function folder()
  return pandoc.path.directory(quarto and quarto.doc.input_file or PANDOC_STATE.input_files[1] or '.')
end

local function drawing(image)
  if not image.src:match '%.svg$' or image.src:match '^%a[%w+.-]*:' then return nil end
  local absolute = image.src:sub(1, 1) == '/'
  local text = read(pandoc.path.join(absolute and { root, image.src:sub(2) } or { folder(), image.src }))
  return text and text:match(MARK) and text or nil
end

-- A picture whose smallest text would be too small on a phone keeps a width there, and scrolls in a box of its own.
local function boxed(text)
  local least = math.huge
  for size in text:gmatch ' font%-size="([%d.]+)"' do least = math.min(least, tonumber(size)) end
  local width = math.ceil(text:match ' width="([%d.]+)"' * LEAST / least)
  local shown = pandoc.RawInline('html', text)
  if width <= PHONE then return shown end
  local box = ('<span class="picture-box" style="--hb-least: %dpx" role="group" tabindex="0">'):format(width)
  return { pandoc.RawInline('html', box), shown, pandoc.RawInline('html', '</span>') }
end

-- The title and the description are for the file alone: the page has the alternative text, and a title inside a
-- picture would pop up below the pointer.
local function inlined(text, image)
  local alt = image.attributes['fig-alt'] or image.attributes.alt or pandoc.utils.stringify(image.caption)
  for _, name in ipairs { 'title', 'desc', 'style' } do text = text:gsub(('<%s>.-</%s>\n?'):format(name, name), '') end
  text = text:gsub('"(#%x%x%x%x%x%x)"', function(colour)
    return tokens()[colour] and ('"%s"'):format(tokens()[colour])
  end)
  local label = ('<svg aria-label="%s" data-src="%s" data-search-ignore '):format(escape(alt), escape(image.src))
  return boxed((text:gsub('^<svg ', function() return label end):gsub('%s+$', '')))
end

local function picture(image)
  local text = drawing(image)
  if not text then return nil end
  if FORMAT:match 'html' then return inlined(text, image) end
  if FORMAT == 'typst' and not image.attributes.width then
    image.attributes.width = math.floor(text:match ' width="([%d.]+)"' * POINTS) .. 'pt'
    return image
  end
end

return { { Image = picture } }
