-- One chapter as an HTML page.

local closed = require 'closed'
local extension = require 'extension'
local links = require 'links'
local markdown = require 'markdown'
local refs = require 'refs'
local stringify = pandoc.utils.stringify

local M = {}

local html = function(text) return pandoc.RawBlock('html', text) end
local inline = function(text) return pandoc.RawInline('html', text) end

local function escape(text)
  return (text:gsub('[&<>"]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;' }))
end

local OPTIONS = pandoc.WriterOptions { html_math_method = 'mathml' }
local PLACE = '<!-- the text of the page -->'

local function write(blocks)
  return pandoc.write(pandoc.Pandoc(blocks), 'html5', OPTIONS)
end

-- Inlines as HTML. Plain words are written here: pandoc's writer costs a millisecond a call.
local function words(inlines)
  local plain = true
  for _, inline in ipairs(inlines) do plain = plain and (inline.t == 'Str' or inline.t == 'Space') end
  if plain then return escape(stringify(inlines)) end
  return (write { pandoc.Plain(inlines) }:gsub('%s+$', ''))
end

-- The kind, the title and the rest of a callout; nil for another div. One of no kind has no word for it.
function M.callout(div)
  local kind
  for _, class in ipairs(div.classes) do kind = kind or class:match '^callout%-(%a+)$' end
  if not kind then return nil end
  local content = div.content
  local title
  if content[1] and content[1].t == 'Header' then
    title = content[1].content
    content:remove(1)
  end
  local word = kind ~= 'none' and (refs.words['callout-' .. kind .. '-title'] or kind) or nil
  return { kind = kind, word = word, title = title, content = content }
end

local function callout(div)
  local found = M.callout(div)
  if not found then return nil end
  local title = pandoc.Inlines(found.word and { pandoc.Span(found.word, { class = 'callout-kind' }), pandoc.Space() } or {})
  if found.title then title:insert(pandoc.Span(found.title)) end
  local head = (write { pandoc.Plain(title) }):gsub('%s+$', '')
  local id = div.identifier ~= '' and (' id="' .. escape(div.identifier) .. '"') or ''
  local collapse = div.attributes.collapse
  local tag = collapse and 'details' or 'div'
  local open = collapse == 'false' and ' open' or ''
  local head_tag = collapse and 'summary' or 'p'
  local line = head ~= '' and ('\n<%s class="callout-title">%s</%s>'):format(head_tag, head, head_tag) or ''
  local out = pandoc.Blocks {
    html(('<%s%s class="callout callout-%s"%s>%s'):format(tag, id, found.kind, open, line)),
    pandoc.Div(found.content, pandoc.Attr('', { 'callout-body' })),
    html('</' .. tag .. '>'),
  }
  return out
end

-- The tabs of a tabset: a list of {title, content, active}; the first one is active if no other heading says so.
function M.tabs(div)
  local tabs = pandoc.List {}
  local first = div.content:find_if(function(block) return block.t == 'Header' end)
  local level = first and first.level
  for _, block in ipairs(div.content) do
    if block.t == 'Header' and block.level == level then
      tabs:insert { title = block.content, content = pandoc.Blocks {}, active = block.classes:includes 'active' }
    elseif #tabs > 0 then
      tabs[#tabs].content:insert(block)
    end
  end
  if #tabs > 0 and not tabs:find_if(function(tab) return tab.active end) then tabs[1].active = true end
  return tabs
end

local function tabset(div)
  local number = div.attributes.tabset
  local group = div.attributes.group and (' data-group="' .. escape(div.attributes.group) .. '"') or ''
  local out = pandoc.Blocks { html(('<div class="panel-tabset"%s>\n<div class="tabs" role="tablist">'):format(group)) }
  local tabs = M.tabs(div)
  for place, tab in ipairs(tabs) do
    local id = ('tabset-%s-%d'):format(number, place)
    out:insert(html(('<button type="button" role="tab" id="%s-tab" aria-controls="%s" aria-selected="%s"%s>%s</button>')
      :format(id, id, tostring(tab.active), tab.active and '' or ' tabindex="-1"',
        words(tab.title))))
  end
  out:insert(html '</div>')
  for place, tab in ipairs(tabs) do
    local id = ('tabset-%s-%d'):format(number, place)
    local name = html('<p class="tab-name">' .. escape(stringify(tab.title)) .. '</p>')
    -- A div of pandoc, not of raw HTML: its headings belong to the panel, not to the page's contents.
    local attributes = { { 'role', 'tabpanel' }, { 'aria-labelledby', id .. '-tab' } }
    if not tab.active then attributes[3] = { 'data-inactive', '' } end
    out:insert(pandoc.Div(pandoc.Blocks { name } .. tab.content, pandoc.Attr(id, {}, attributes)))
  end
  out:insert(html '</div>')
  return out
end

local function div(element)
  if element.classes:includes 'panel-tabset' then return tabset(element) end
  return callout(element)
end

-- Without the link of each line to itself, which shows nothing: in a page of job scripts they are a fifth of it.
local function unlinked(code)
  if code:find('numberSource', 1, true) then return code end
  return (code:gsub('<a href="#cb%d+%-%d+" aria%-hidden="true" tabindex="%-1"></a>', ''))
end

-- Code as HTML, kept by its text: colouring it costs most of what a page costs. pandoc counts the blocks of a page
-- in the ids of their lines; the kept ones are all the first.
local coloured = {}
local function colour(block, count)
  local key = table.concat(block.classes, ' ') .. '\0' .. block.identifier .. '\0' .. block.text
  if #block.attributes > 0 then return block end
  -- pandoc looks for a language of this name among all that it knows, which takes as long as three pages.
  if key:match '^text\0\0' then return html('<pre class="text"><code>' .. escape(block.text):gsub("'", '&#39;') .. '</code></pre>') end
  coloured[key] = coloured[key] or unlinked(write { block })
  return html((coloured[key]:gsub('([#"])cb1([-"])', '%1cb' .. count .. '%2')))
end

local function code()
  local count = 0
  return function(block)
    count = count + 1
    local name = block.attributes.filename
    block.attributes.filename = nil
    local shown = colour(block, count)
    if not name then return shown end
    return pandoc.Div({ html('<p class="code-filename">' .. escape(name) .. '</p>'), shown },
      pandoc.Attr('', { 'code-with-filename' }))
  end
end

local function captioned(kind, element)
  local number = element.attributes.number
  if not number then return end
  element.attributes.number = nil
  local long = element.caption.long
  local lead = refs.caption_lead(kind, number, #long > 0)
  if #long > 0 then
    long[1].content = lead .. long[1].content
  else
    long = pandoc.Blocks { pandoc.Plain(lead) }
  end
  element.caption.long = long
end

local function figure(element)
  captioned(element.identifier:match '^tbl%-' and 'tbl' or 'fig', element)
  element.content = element.content:walk { Image = function(image)
    -- A caption is no alternative text: it would be read out twice.
    image.caption = pandoc.Inlines(image.attributes.alt or '')
    return image
  end }
  return element
end

local function table_float(element)
  local label = refs.words['crossref-tbl-title'] .. (element.attributes.number and ' ' .. element.attributes.number or '')
  captioned('tbl', element)
  local id = element.identifier
  element.identifier = ''
  local scroll = pandoc.Div({ element }, pandoc.Attr('', { 'table-scroll' },
    { { 'role', 'region' }, { 'tabindex', '0' }, { 'aria-label', label } }))
  return pandoc.Div({ scroll }, pandoc.Attr(id, { 'table-float' }))
end

local function equation(span)
  if not span.classes:includes 'equation' then return nil end
  local number = span.attributes.number
  span.attributes.number = nil
  span.attributes.role, span.attributes['aria-label'], span.attributes.tabindex = 'group', refs.words['crossref-eq-prefix'] .. ' ' .. number, '0'
  span.content:insert(inline('<span class="equation-number">(' .. number .. ')</span>'))
  return span
end

local function header(element, settings)
  local number = element.attributes.number
  if not number then return nil end
  element.attributes.number = nil
  if not settings.number or element.level > settings.depth then return element end
  element.content:insert(1, pandoc.Space())
  element.content:insert(1, pandoc.Span(pandoc.Str(number), { class = 'header-section-number' }))
  return element
end

-- Wide code can be scrolled with the keyboard; the empty corner of a table is no header.
local function accessible(text)
  if text:find('></th>', 1, true) then text = text:gsub('<th([^>]*)></th>', '<td%1></td>') end
  return (text:gsub('<pre%s+class=', '<pre tabindex="0" class='):gsub('<pre>', '<pre tabindex="0">'))
end

-- Whether a page calls sections by their titles: it has no number.
function M.by_title(chapter, state) return not chapter.number or not state.settings.number end

-- A title that holds citations or references, as the other pages show it: resolved and without links.
function M.title(chapter, state)
  local function ignore() end
  local doc = pandoc.Pandoc { pandoc.Plain(chapter.title.content) }
  doc = doc:walk { Cite = refs.crossref(state.labels, function() return '' end, ignore, M.by_title(chapter, state)) }
  doc = refs.citations(doc, refs.cites(doc), state, '', nil, ignore)
  local content = doc.blocks[1].content:walk { Note = function() return {} end, Link = function(link) return link.content end }
  return { title = stringify(content), title_html = words(content) }
end

-- A page's text with its links, references and citations resolved, what is wrong with them, and the files it shows.
local function resolved(chapter, request, state)
  local problems, resources = pandoc.List {}, pandoc.List {}
  local function blame(kind, needle, message)
    problems:insert { kind = kind, needle = needle, message = message }
  end
  local path = chapter.path
  local function href(page, id)
    if page == path then return '#' .. id end
    return refs.relative(path, state.pages[page]) .. '#' .. id
  end
  local pictures = closed.pictures(chapter, request.pictures)
  local doc = extension.filter(chapter.doc:clone(), 'html', path)
  -- The title is resolved with the text, and its footnotes are counted with those of the text.
  doc.meta = pandoc.Meta { title = pandoc.MetaInlines(chapter.title.content) }
  local crossref, cites = refs.crossref(state.labels, href, blame, M.by_title(chapter, state)), pandoc.List {}
  -- This comes before the links of citations are made: those lead to pages already.
  doc = links(doc, chapter, state, blame, resources, pictures, function(cite)
    local made = crossref(cite)
    if not made then cites:insert(cite) end
    return made
  end)
  if chapter.cites or request.bibliography then
    local target = request.references and refs.relative(path, request.references) or ''
    doc = refs.citations(doc, cites, state, request.bibliography and '' or target, request.bibliography, blame, path,
      not request.references)
  end
  return doc, problems, resources
end

local function settings_of(request, state) return setmetatable(request.settings, { __index = state.settings }) end

-- A page as Markdown, for programs that read it: written from the same text as the HTML.
function M.markdown(chapter, request, state)
  local settings = settings_of(request, state)
  local doc = resolved(chapter, request, state)
  local title = pandoc.Inlines(doc.meta.title)
  if chapter.number and settings.number then title:insert(1, pandoc.Str(chapter.number .. ' ')) end
  return { text = markdown(doc, chapter.home and pandoc.Inlines(settings.book) or title, {
    callout = M.callout, tabs = M.tabs, figure = figure,
    header = function(element) return header(element, settings) end,
    table = function(element) captioned('tbl', element); return element end,
  }) }
end

-- The headings among blocks, in the divs that they are in. For pandoc a div that begins with one is a section: one that
-- begins with something else keeps a place for it.
local function headings(blocks)
  return blocks:filter(function(block) return block.t == 'Header' or block.t == 'Div' end):map(function(block)
    if block.t == 'Div' then
      local place = block.content[1] and block.content[1].t ~= 'Header' and { pandoc.Plain {} } or {}
      block.content = pandoc.Blocks(place) .. headings(block.content)
    end
    return block
  end)
end

-- The text of a page in its template. pandoc would measure each letter of a text that it puts into a template, which
-- takes as long as to write it; the headings are enough for the contents. Footnotes of the title are counted in a
-- template only.
local function written(doc, settings, variables, state)
  local options = { html_math_method = 'mathml', section_divs = true, wrap_text = 'none' }
  pandoc.Inlines(doc.meta.title):walk { Note = function() options.template = pandoc.template.compile '$body$' end }
  local text = pandoc.write(doc, 'html5', pandoc.WriterOptions(options))
  local compiled = state.settings.compiled or pandoc.template.compile((state.settings.template:gsub('%$body%$', PLACE)))
  state.settings.compiled = compiled
  options.template, options.variables, options.table_of_contents, options.toc_depth = compiled, variables, settings.toc, settings['toc-depth']
  doc.blocks = headings(doc.blocks)
  local frame = pandoc.write(doc, 'html5', pandoc.WriterOptions(options))
  local from, to = frame:find(PLACE, 1, true)
  return frame:sub(1, from - 1) .. text .. frame:sub(to + 1)
end

function M.write(chapter, request, state)
  local settings = settings_of(request, state)
  local doc, problems, resources = resolved(chapter, request, state)
  doc = doc:walk {
    Div = div, CodeBlock = code(), Figure = figure, Table = table_float, Span = chapter.equations and equation or nil,
    Header = function(element) return header(element, settings) end,
  }
  doc.meta = pandoc.Meta { title = doc.meta.title }
  return { html = accessible(written(doc, settings, request.variables, state)), problems = problems, resources = resources }
end

return M
