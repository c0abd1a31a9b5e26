-- The whole book in one document: a Typst source for the PDF, or an EPUB file.

local closed = require 'closed'
local extension = require 'extension'
local page = require 'page'
local refs = require 'refs'

local M = {}

local function typst(text) return pandoc.RawBlock('typst', text) end

local function quoted(text) return '"' .. text:gsub('[\\"]', '\\%0') .. '"' end

-- A callout as a block of the template's function `callout`; in EPUB as a titled quotation.
local function callout(format)
  return function(div)
    local found = page.callout(div)
    if not found then return nil end
    local word = found.word and pandoc.Strong(found.word .. (found.title and ':' or ''))
    local title = pandoc.Inlines(word and { word, pandoc.Space() } or {})
    if found.title then title:insert(pandoc.Strong(found.title)) end
    local content = pandoc.Blocks(#title > 0 and { pandoc.Para(title) } or {}) .. found.content
    if format ~= 'typst' then return pandoc.Div(content, pandoc.Attr(div.identifier, { 'callout', found.kind })) end
    content:insert(1, typst(('#callout(%s)['):format(quoted(found.kind))))
    content:insert(typst ']')
    return content
  end
end

local function code(format)
  return function(block)
    local name = block.attributes.filename
    if not name then return nil end
    block.attributes.filename = nil
    if format == 'typst' then return { typst('#code-filename(' .. quoted(name) .. ')'), block } end
    return { pandoc.Para { pandoc.Strong(pandoc.Str(name)) }, block }
  end
end

local function numbered(kind, format)
  return function(element)
    local number = element.attributes.number
    if not number then return nil end
    element.attributes.number = nil
    local long = element.caption.long
    local lead = refs.caption_lead(element.identifier:match '^tbl%-' and 'tbl' or kind, number, #long > 0)
    if #long == 0 then long = pandoc.Blocks { pandoc.Plain {} } end
    long[1].content = lead .. long[1].content
    element.caption.long = long
    if format == 'typst' then return element end
    -- In an EPUB a link can lead to a div in another file, but not to a figure or table.
    local id = element.identifier
    element.identifier = ''
    return pandoc.Div({ element }, pandoc.Attr(id))
  end
end

local function header(settings)
  return function(element)
    local number = element.attributes.number
    element.attributes.number = nil
    if not number or not settings.number then return element end
    element.content:insert(1, pandoc.Space())
    element.content:insert(1, pandoc.Str(number))
    return element
  end
end

local function equation(format)
  return function(span)
    if not span.classes:includes 'equation' then return nil end
    local number = span.attributes.number
    span.attributes.number = nil
    if format == 'typst' then
      span.content:insert(1, pandoc.RawInline('typst', ('#numbered-equation(%s)['):format(quoted(number))))
      span.content:insert(pandoc.RawInline('typst', ']'))
    else
      span.content:extend { pandoc.Space(), pandoc.Str('(' .. number .. ')') }
    end
    return span
  end
end

-- Names of symbols that pandoc 3.9 writes and Typst 0.15 does not know any more: https://typst.app/docs/changelog
local RENAMED = { ['%f[%a]sect%f[%A]'] = 'inter', ['%f[%a](%a+)%.circle'] = '%1.o',
                  ['%f[%a]bracket%.([lr])%.double'] = 'bracket.%1.stroked' }

local function formula(math)
  local text = pandoc.write(pandoc.Pandoc(pandoc.Plain(math)), 'typst'):gsub('%s+$', '')
  -- What is in quotes is text of the formula.
  local new = text:gsub('([^"]*)("?[^"]*"?)', function(symbols, words)
    for old, name in pairs(RENAMED) do symbols = symbols:gsub(old, name) end
    return symbols .. words
  end)
  return new ~= text and pandoc.RawInline('typst', new) or nil
end

-- Pictures are beside their chapter; the whole book is read from the root. What is not one of `pictures` becomes its
-- text: pandoc would read any file of the machine. So does a picture at an address in a PDF: Typst fetches none.
local function rooted(path, pictures, format)
  return function(image)
    if image.src:match '^%a[%w+.-]*:' and not image.src:match '^[Ff][Ii][Ll][Ee]:' then
      if format ~= 'typst' then return nil end
      return #image.caption > 0 and image.caption or pandoc.Inlines(image.attributes['fig-alt'] or '')
    end
    image.src = refs.resolve(path, image.src)
    if not pictures[image.src] then return image.caption end
    if image.attributes['fig-alt'] then
      image.attributes.alt, image.attributes['fig-alt'] = image.attributes['fig-alt'], nil
    end
    return image
  end
end

-- pandoc packs the files that raw HTML names into an EPUB, from wherever on the machine, unless they are marked so.
local function marked(raw)
  if not raw.format:match '^html' then return nil end
  raw.text = raw.text:gsub('<%s*(%a+)', '<%1 data-external="1"')
  return raw
end

-- The id of a chapter's title; a title in the front matter has none of its own.
local function title_id(chapter)
  return chapter.title.identifier ~= '' and chapter.title.identifier or (chapter.path:gsub('%W+', '-'))
end

-- A document whose links lead to what is in it: a link to nothing ends the setting of a PDF, as does one to an id that
-- two chapters have.
local function reachable(doc, format)
  local count = {}
  local function id(element) count[element.identifier] = (count[element.identifier] or 0) + 1 end
  local holders = { Header = id, Div = id, Span = id, Figure = id, Table = id }
  if format ~= 'typst' then holders.CodeBlock, holders.Code, holders.Link, holders.Image = id, id, id, id end
  doc:walk(holders)
  return doc:walk { Link = function(link)
    local name = link.target:match '^#(.*)$'
    if name and (name == '' or not count[name] or format == 'typst' and count[name] > 1) then return link.content end
  end }
end

-- Links to chapters stay in the document: to the id after the #, or to the chapter's title.
local function local_links(path, pages, state)
  return function(link)
    local target = link.target
    if target:match '^%a[%w+.-]*:' or target:match '^#' then return nil end
    local file, fragment = target:match '^([^#]*)(#?.*)$'
    file = file:sub(1, 1) == '/' and file:sub(2) or refs.join(pandoc.path.directory(path), file)
    if pages[file] then
      local chapter = state.chapters[file]
      link.target = fragment ~= '' and fragment or '#' .. title_id(chapter)
    else
      link.target = state.settings.site .. '/' .. file
    end
    return link
  end
end

local function part_opening(title) return pandoc.Blocks { typst '#part-opening[', title, typst ']' } end

local function opening(chapter, format, settings)
  local title = chapter.title:clone()
  if chapter.number and settings.number then
    local lead = chapter.appendix and refs.appendix(chapter.number) or chapter.number .. ' '
    title.content = pandoc.Inlines(lead) .. title.content
  end
  title.level, title.identifier = 1, title_id(chapter)
  if chapter.part and format == 'typst' then return part_opening(title) end
  return { title }
end

-- request: {format, order: paths, openings: path -> title of the part without a page that it begins, template, variables,
-- keys, references}.
function M.write(request, state)
  local format = request.format
  local problems = {}
  local function blame() end -- rendering the HTML pages reports it
  local whole = pandoc.Blocks {}
  for _, path in ipairs(request.order) do
    local chapter = state.chapters[path]
    local pictures = closed.pictures(chapter, request.pictures)
    local doc = extension.filter(pandoc.Pandoc(chapter.doc.blocks, chapter.doc.meta), format, path)
    doc = doc:walk { Image = rooted(path, pictures, format), Link = local_links(path, state.pages, state) }
    local part = format == 'typst' and request.openings[path]
    local blocks = pandoc.Blocks(part and part_opening(pandoc.Header(1, part)) or {})
    blocks:extend(chapter.home and {} or opening(chapter, format, state.settings))
    blocks:extend(doc.blocks)
    whole:extend(blocks:walk { Cite = refs.crossref(state.labels, function(_, id) return '#' .. id end, blame,
      page.by_title(chapter, state)) })
    -- The memory of a document is pandoc's: Lua does not see how large it is, and would keep each of these.
    chapter.doc = nil
    collectgarbage()
  end
  local doc = pandoc.Pandoc(whole)
  whole = nil
  doc = refs.citations(doc, refs.cites(doc), state, '', request.keys, blame)
  collectgarbage()
  doc = doc:walk { Div = callout(format) }
  doc = doc:walk { CodeBlock = code(format), Figure = numbered('fig', format), Table = numbered('tbl', format),
                   Header = header(state.settings), Span = equation(format) }
  doc = reachable(doc, format)
  doc = doc:walk(format == 'typst' and { Math = formula } or { RawBlock = marked, RawInline = marked })
  doc.meta = pandoc.Meta(request.meta or {})
  local options = pandoc.WriterOptions {
    variables = request.variables or {}, top_level_division = 'chapter', wrap_text = 'none',
    table_of_contents = format == 'epub', toc_depth = 2, html_math_method = 'mathml',
  }
  -- Without a template an EPUB's files would be mere fragments.
  options.template = request.template and pandoc.template.compile(request.template) or pandoc.template.default(format)
  collectgarbage()
  -- citeproc has set the citations; Typst must not set them again.
  local output = pandoc.write(doc, format == 'typst' and 'typst-citations' or format, options)
  if request.file then
    local file = assert(io.open(request.file, 'wb'))
    file:write(output)
    file:close()
    return { problems = problems }
  end
  return { text = output, problems = problems }
end

return M
