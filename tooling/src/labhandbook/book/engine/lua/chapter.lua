-- From a chapter's text to its document: shortcodes answered, title taken out, sections, figures, tables and
-- equations numbered as Quarto numbers them.

local cells = require 'cells'
local conditional = require 'conditional'
local extension = require 'extension'
local refs = require 'refs'
local refuse = require 'refuse'
local shapes = require 'shapes'
local stringify = pandoc.utils.stringify

local M = {}

local TOKEN = 'hbsc(%d+)z'
local WRITING = pandoc.WriterOptions { html_math_method = 'mathml', wrap_text = 'none' }
local READING = pandoc.ReaderOptions { default_image_extension = 'png', columns = 72 }

local function kind_of(result)
  local kind = pandoc.utils.type(result)
  if kind == 'Block' then return 'blocks', pandoc.Blocks { result } end
  if kind == 'Blocks' then return 'blocks', result end
  if kind == 'table' or kind == 'List' then
    local first = result[1]
    if first and pandoc.utils.type(first) == 'Block' then return 'blocks', pandoc.Blocks(result) end
    return 'inlines', pandoc.Inlines(result)
  end
  return 'inlines', pandoc.Inlines(result or {})
end

-- Put the answers of the shortcodes in the places of their tokens. Lua sees only what holds one: to be asked for every
-- word of a chapter costs more than reading it. What a shortcode could not answer is added to `unanswered`.
local function answer_shortcodes(doc, codes, unanswered)
  if #codes == 0 then return doc end
  local function answer(n)
    local place = math.tointeger(tonumber(n))
    local ok, result = pcall(extension.call, codes[place], doc.meta)
    if ok then return result end
    unanswered:insert { code = place, message = tostring(result) }
    return pandoc.Inlines {}
  end
  local function plain(text)
    return (text:gsub(TOKEN, function(n)
      return stringify(answer(n))
    end))
  end
  local function inside(str)
    if not str.text:find(TOKEN) then return nil end
    local out = pandoc.Inlines {}
    local rest = str.text
    while true do
      local from, to, n = rest:find(TOKEN)
      if not from then break end
      if from > 1 then out:insert(pandoc.Str(rest:sub(1, from - 1))) end
      local kind, result = kind_of(answer(n))
      out:extend(kind == 'blocks' and pandoc.utils.blocks_to_inlines(result) or result)
      rest = rest:sub(to + 1)
    end
    if rest ~= '' then out:insert(pandoc.Str(rest)) end
    return out
  end
  local function text(element)
    if element.text:find(TOKEN) then element.text = plain(element.text); return element end
  end
  local function words(block)
    local held = stringify(block)
    if not held:find(TOKEN) then return nil end
    local first = block.content[1]
    if block.t ~= 'Header' and #block.content == 1 and first.t == 'Str' and first.text:match('^' .. TOKEN .. '$') then
      local kind, result = kind_of(answer(first.text:match(TOKEN)))
      if kind == 'blocks' then return result end
      block.content = result
      return block
    end
    block.content = block.content:walk { Str = inside, Code = text, Math = text }
    return block
  end
  local function terms(block)
    return stringify(block):find(TOKEN) and block:walk { Str = inside, Code = text, Math = text } or nil
  end
  return doc:walk {
    Para = words, Plain = words, Header = words, CodeBlock = text, DefinitionList = terms, LineBlock = terms,
    Link = function(link)
      if link.target:find(TOKEN) then link.target = plain(link.target); return link end
    end,
    Image = function(image)
      if image.src:find(TOKEN) then image.src = plain(image.src); return image end
    end,
  }
end

-- The chapter's title, out of its blocks: the first heading, wherever it is, as in Quarto. The site's first page keeps
-- it: its title is the book's.
local function take_title(doc, meta, keep)
  local first, place = doc.blocks:find_if(function(block) return block.t == 'Header' end)
  if first and not meta.title then
    if not keep then doc.blocks:remove(place) end
    return first
  end
  local read = pandoc.read('# ' .. (meta.title or '') .. '\n', 'markdown-auto_identifiers').blocks[1]
  return read and read.t == 'Header' and read or pandoc.Header(1, {})
end

-- A div with the id of a figure or a table is one; its last paragraph is the caption.
local function is_float(div)
  return (div.identifier:match '^fig%-' or div.identifier:match '^tbl%-') and not div.classes:includes 'hb-part'
end

local function float_div(div)
  local content, caption = div.content, pandoc.Blocks {}
  local last, given = content[#content], div.attributes['tbl-cap'] or div.attributes['fig-cap']
  if given then
    caption = pandoc.Blocks { pandoc.Plain(shapes.markdown(given)) }
    div.attributes['tbl-cap'], div.attributes['fig-cap'] = nil, nil
  elseif #content > 1 and last.t == 'Para' then
    caption = pandoc.Blocks { pandoc.Plain(last.content) }
    content:remove(#content)
  elseif #content == 1 and (last.t == 'Figure' or last.t == 'Table') and last.identifier == '' then
    caption, last.caption = last.caption.long, { long = {} }
    content = last.t == 'Figure' and last.content or content
  end
  return pandoc.Figure(content, { long = caption }, pandoc.Attr(div.identifier, div.classes, div.attributes))
end

-- Walk a chapter in reading order and number everything that can be referred to.
local Numbering = {}
Numbering.__index = Numbering

-- `equations`: some have ids. To look into every paragraph costs more than reading it.
function Numbering.new(number, equations)
  return setmetatable({ chapter = number, equations = equations, sections = {}, counts = { fig = 0, tbl = 0, eq = 0 },
                        tabsets = 0, labels = pandoc.List {}, ids = pandoc.List {} }, Numbering)
end

function Numbering:label(id, kind, number, title)
  self.labels:insert { id = id, kind = kind, number = number or '', title = title or '' }
end

function Numbering:count(kind)
  self.counts[kind] = self.counts[kind] + 1
  local own = tostring(self.counts[kind])
  return self.chapter and (self.chapter .. '.' .. own) or own
end

function Numbering:header(header)
  if header.level == 1 then return header end
  local number
  if self.chapter and not header.classes:includes 'unnumbered' then
    local depth = header.level - 1
    for level = 1, depth do self.sections[level] = self.sections[level] or 0 end
    self.sections[depth] = self.sections[depth] + 1
    for level = depth + 1, #self.sections do self.sections[level] = nil end
    number = self.chapter .. '.' .. table.concat(self.sections, '.', 1, depth)
    header.attributes['number'] = number
  end
  self:label(header.identifier, 'sec', number, stringify(header.content))
  return header
end

-- The id and the classes after a formula: `{#eq-x .wide}`; what follows the brace; and the place behind it.
local function label_after(inlines, place)
  while inlines[place] and (inlines[place].t == 'Space' or inlines[place].t == 'SoftBreak') do place = place + 1 end
  local text = ''
  if not inlines[place] or inlines[place].t ~= 'Str' or not inlines[place].text:match '^{#eq%-' then return nil end
  while inlines[place] and (inlines[place].t == 'Str' or inlines[place].t == 'Space') do
    text = text .. (inlines[place].text or ' ')
    place = place + 1
    local id, more, rest = text:match '^{#(eq%-[^%s}]+)([^}]*)}(.*)$'
    if id then
      local classes = pandoc.List { 'equation' }
      for class in more:gmatch '%.([^%s.]+)' do classes:insert(class) end
      return id, classes, rest, place
    end
  end
end

function Numbering:equation(para)
  local inlines, out, place = para.content, pandoc.Inlines {}, 1
  while place <= #inlines do
    local inline = inlines[place]
    local id, classes, rest, after
    if inline.t == 'Math' and inline.mathtype == 'DisplayMath' then id, classes, rest, after = label_after(inlines, place + 1) end
    if id then
      local number = self:count 'eq'
      self:label(id, 'eq', number)
      out:insert(pandoc.Span({ inline }, pandoc.Attr(id, classes, { number = number })))
      if rest ~= '' then out:insert(pandoc.Str(rest)) end
      place = after
    else
      out:insert(inline)
      place = place + 1
    end
  end
  para.content = out
  return para
end

function Numbering:float(element, kind)
  local id = element.identifier
  if id:match('^' .. kind .. '%-') then
    local number = self:count(kind)
    self:label(id, kind, number, stringify(element.caption.long))
    element.attributes['number'] = number
    local letters = 0
    for index, part in ipairs(element.content or {}) do
      local cell = part.t == 'Div' and part.classes:includes 'hb-part' and tonumber(part.identifier:match '%d+$')
      local figure = part.t == 'Figure' and part.identifier:match('^' .. kind .. '%-')
      if cell or figure then
        letters = letters + 1
        local letter = '(' .. string.char(96 + (cell or letters)) .. ')'
        self:label(part.identifier, kind, number .. ' ' .. letter, figure and stringify(part.caption.long) or '')
        if figure then
          part.caption.long:insert(1, pandoc.Plain { pandoc.Str(letter) })
          element.content[index] = part
        end
      end
    end
  end
  return element
end

-- `titled`: "tabset" if the headings of the first one's level are the names of tabs, "callout" if the first heading
-- is a callout's title. They are no sections.
function Numbering:visit(blocks, titled)
  local heading = titled and blocks:find_if(function(block) return block.t == 'Header' end)
  local first = heading and (titled == 'tabset' or blocks[1] == heading) and heading.level
  for index, block in ipairs(blocks) do
    if block.t == 'Header' then
      local title = block.level == first and (titled == 'tabset' or index == 1)
      if not title then blocks[index] = self:header(block) end
    elseif (block.t == 'Para' or block.t == 'Plain') and self.equations and block.content:find_if(function(inline) return inline.t == 'Math' end) then
      blocks[index] = self:equation(block)
    elseif block.t == 'Figure' then
      blocks[index] = self:float(block, block.identifier:match '^tbl%-' and 'tbl' or 'fig')
    elseif block.t == 'Table' then
      blocks[index] = self:float(block, 'tbl')
    elseif block.t == 'Div' and is_float(block) then
      blocks[index] = self:float(float_div(block), block.identifier:match '^tbl%-' and 'tbl' or 'fig')
    elseif block.t == 'Div' then
      local titles = block.classes:includes 'panel-tabset' and 'tabset'
        or block.classes:find_if(function(class) return class:match '^callout%-' end) and 'callout'
      block.content = self:visit(block.content, titles)
      -- As in Quarto, a tabset in another one is counted before it.
      if titles == 'tabset' then
        self.tabsets = self.tabsets + 1
        block.attributes['tabset'] = tostring(self.tabsets)
      end
      blocks[index] = block
    elseif block.t == 'BlockQuote' then
      block.content = self:visit(block.content)
      blocks[index] = block
    elseif block.t == 'DefinitionList' then
      for place, item in ipairs(block.content) do
        for number, definition in ipairs(item[2]) do item[2][number] = self:visit(definition) end
        block.content[place] = item
      end
      blocks[index] = block
    elseif block.t == 'BulletList' or block.t == 'OrderedList' then
      for place, item in ipairs(block.content) do block.content[place] = self:visit(item) end
      blocks[index] = block
    end
  end
  return blocks
end

-- Ids, citations and pictures of documents: for the checks, the bibliography, and to ask which pictures are there.
local function survey(docs, path)
  local ids, cites, pictures = pandoc.List {}, pandoc.List {}, pandoc.List {}
  local function id(element)
    if element.identifier ~= '' then ids:insert(element.identifier) end
  end
  local watch = {
    Header = id, Div = id, Span = id, Figure = id, Table = id, CodeBlock = id, Link = id,
    Image = function(image)
      id(image)
      if not refs.external(image.src) then pictures:insert((refs.resolve(path, image.src))) end
    end,
    Cite = function(cite)
      for _, citation in ipairs(cite.citations) do cites:insert(citation.id) end
    end,
  }
  for _, doc in ipairs(docs) do doc:walk(watch) end
  return ids, cites, pictures
end

-- request: {path, text, number, meta, codes}. Returns the chapter as kept and what Python gets of it.
function M.read(request)
  extension.reading = request.format
  local log, doc = pandoc.log.silence(pandoc.read, request.text, 'markdown', READING)
  doc.meta = pandoc.Meta(request.meta or {})
  local unanswered = pandoc.List {}
  doc = answer_shortcodes(doc, request.codes or {}, unanswered)
  doc = shapes.give(conditional.keep(doc, request.format or 'html', request.text), request.text)
  local title = take_title(doc, request.meta or {}, request.home)
  local problems = refuse(doc, request.home)
  doc = cells.show(doc, request.text)
  local numbering = Numbering.new(request.number, request.text:find '{#eq%-')
  if title.identifier ~= '' then
    numbering:label(title.identifier, request.part and 'part' or request.appendix and 'appendix' or 'chapter',
                    request.number, stringify(title.content))
  end
  doc.blocks = numbering:visit(doc.blocks)
  local ids, cites, pictures = survey({ pandoc.Pandoc(request.home and {} or pandoc.Plain(title.content)), doc }, request.path)
  if title.identifier ~= '' and not request.home then ids:insert(1, title.identifier) end
  local own = {}
  for _, id in ipairs(ids) do own[id] = true end
  local read = {
    own = own, path = request.path, doc = doc, title = title, number = request.number, part = request.part, home = request.home,
    pictures = pictures, noted = request.text:find('[^', 1, true) ~= nil,
    cites = cites:find_if(function(key) return not refs.is_crossref(key) end) ~= nil,
  }
  local plain, citing = pandoc.Plain(title.content):walk { Note = function() return {} end }, false
  plain:walk { Cite = function() citing = true end }
  return read, {
    title = stringify(plain), citing = citing,
    title_html = (pandoc.write(pandoc.Pandoc { plain }, 'html5', WRITING):gsub('%s+$', '')),
    id = title.identifier,
    description = request.meta.description and stringify(shapes.markdown(request.meta.description)),
    labels = numbering.labels, ids = ids, cites = cites, pictures = pictures, problems = problems, unanswered = unanswered,
    log = pandoc.List(log):map(function(entry) return pandoc.json.decode(pandoc.json.encode(entry), false) end),
  }
end

return M
