-- From a chapter's text to its document: shortcodes answered, title taken out, and everything numbered.

local cells = require 'cells'
local conditional = require 'conditional'
local extension = require 'extension'
local numbering = require 'numbering'
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
  local left = {}
  for place = 1, #codes do left[place] = true end
  local function answer(n)
    local place = math.tointeger(tonumber(n))
    left[place] = nil
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
  doc = doc:walk { Para = words, Plain = words, Header = words, CodeBlock = text, DefinitionList = terms, LineBlock = terms }
  -- To look at every link costs as much again.
  return not next(left) and doc or doc:walk {
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
local function take_title(doc, meta, keep, text)
  local first, place = doc.blocks:find_if(function(block) return block.t == 'Header' end)
  if first and not meta.title then
    if keep then return first end
    doc.blocks:remove(place)
    -- It has no id that its author did not write.
    if not text:find('{[^}\n]*#' .. first.identifier:gsub('%p', '%%%0') .. '[%s}]') then first.identifier = '' end
    return first
  end
  return pandoc.Header(1, shapes.markdown(meta.title or ''))
end

-- Ids, citations and pictures of documents: for the checks, the bibliography, and to ask which pictures are there. The
-- inlines are judged on the way.
local function survey(docs, path, judge, judge_citation)
  local ids, cites, pictures = pandoc.List {}, pandoc.List {}, pandoc.List {}
  local function id(element)
    if element.identifier ~= '' then ids:insert(element.identifier) end
  end
  local watch = {
    traverse = 'topdown', Header = id, Div = id, Figure = id, Table = id, CodeBlock = id, Link = id,
    Span = function(span)
      id(span)
      judge(span)
    end,
    Image = function(image)
      id(image)
      judge(image)
      if not refs.external(image.src) then pictures:insert((refs.resolve(path, image.src))) end
    end,
    Cite = function(cite)
      for _, citation in ipairs(cite.citations) do
        cites:insert(citation.id)
        judge_citation(citation.id)
      end
    end,
  }
  for _, doc in ipairs(docs) do doc:walk(watch) end
  return ids, cites, pictures
end

-- request: {path, text, number, meta, codes}. Returns the chapter as kept and what Python gets of it.
function M.read(request)
  extension.reading = request.format
  -- Where a definition may come, pandoc reads a table below a line twice: once to see that it is none.
  local from = request.definitions == false and 'markdown-definition_lists' or 'markdown'
  local log, doc = pandoc.log.silence(pandoc.read, request.text, from, READING)
  local meta = request.meta or {}
  doc.meta = pandoc.Meta(meta)
  local unanswered = pandoc.List {}
  doc = answer_shortcodes(doc, request.codes or {}, unanswered)
  local format = request.format or 'html'
  doc = shapes.give(conditional.keep(doc, format, request.text), request.text, format)
  local title = take_title(doc, meta, request.home, request.text)
  local problems, judge, judge_citation = refuse(doc, request.home, title)
  doc = cells.show(doc, request.text)
  local equations = request.text:find '{#eq%-' ~= nil
  local numbers = numbering.new(request.number, equations)
  if title.identifier ~= '' then
    numbers:label(title.identifier, request.part and 'part' or request.appendix and 'appendix' or 'chapter',
                    request.number, stringify(title.content))
  end
  doc.blocks = numbers:visit(doc.blocks)
  local ids, cites, pictures = survey({ pandoc.Pandoc(request.home and {} or pandoc.Plain(title.content)), doc }, request.path, judge,
    judge_citation)
  if title.identifier ~= '' and not request.home then ids:insert(1, title.identifier) end
  local own = {}
  for _, id in ipairs(ids) do own[id] = true end
  local read = {
    own = own, path = request.path, doc = doc, title = title, number = request.number, part = request.part, appendix = request.appendix,
    home = request.home, pictures = pictures, equations = equations, noted = request.text:find('[^', 1, true) ~= nil,
    cites = cites:find_if(function(key) return not refs.is_crossref(key) end) ~= nil,
  }
  local plain, citing = pandoc.Plain(title.content):walk { Note = function() return {} end }, false
  plain:walk { Cite = function() citing = true end }
  return read, {
    title = stringify(plain), citing = citing,
    title_html = (pandoc.write(pandoc.Pandoc { plain }, 'html5', WRITING):gsub('%s+$', '')),
    id = title.identifier,
    subtitle = meta.subtitle and stringify(shapes.markdown(meta.subtitle)),
    description = meta.description and stringify(shapes.markdown(meta.description)),
    labels = numbers.labels, ids = ids, cites = cites, pictures = pictures, problems = problems, unanswered = unanswered,
    log = pandoc.List(log):map(function(entry) return pandoc.json.decode(pandoc.json.encode(entry), false) end),
  }
end

return M
