-- The embedded engine's worker: `pandoc lua worker.lua` reads one JSON request a line and answers one a line.
-- It keeps the chapters that it has read, so that after an edit only the edited chapter is read again.

local here = pandoc.path.directory(arg[0])
package.path = pandoc.path.join { here, '?.lua' } .. ';' .. package.path

local chapter = require 'chapter'
local closed = require 'closed'
local page = require 'page'
local compile = require 'compile'
local extension = require 'extension'
local survey = require 'survey'
local refs = require 'refs'

local state = { chapters = {}, labels = {}, pages = {}, references = {}, settings = {} }

local handlers = {}

-- Once, before anything else: the extension's files, the bibliography and the book's settings.
function handlers.setup(request)
  extension.load(request.shortcodes, request.filters)
  state.settings, refs.words = request.settings, request.settings.words
  state.references = {}
  refs.forget()
  for _, source in ipairs(request.bibliography) do
    local ok, read = pcall(pandoc.read, source.text, 'bibtex')
    if not ok then return { failed = source.name .. " can't be read as BibTeX: " .. tostring(read) } end
    for _, entry in ipairs(read.meta.references or {}) do
      state.references[pandoc.utils.stringify(entry.id)] = entry
    end
  end
  local keys = {}
  for key in pairs(state.references) do keys[#keys + 1] = key end
  return { keys = keys, shortcodes = extension.names() }
end

-- Read a chapter: what it is called, what it labels, what it cites.
function handlers.read(request)
  local read, parsed = chapter.read(request, state)
  state.chapters[request.path] = read
  return parsed
end

-- What all pages share: labels (id -> {page, kind, number, title}) and addresses (path -> url).
function handlers.share(request)
  state.pages = request.pages
  state.labels = setmetatable({}, { __index = function(_, id)
    closed.note('labels', id)
    return request.labels[id]
  end })
  closed.share(state.labels)
  return {}
end

function handlers.html(request)
  return page.write(state.chapters[request.path], request, state)
end

function handlers.markdown(request)
  return page.markdown(state.chapters[request.path], request, state)
end

function handlers.title(request)
  return page.title(state.chapters[request.path], state)
end

-- What the checks need to know about a chapter that has been read.
function handlers.survey(request)
  return survey(state.chapters[request.path], state, request.pictures)
end

-- The whole book as one Typst source or one EPUB file.
function handlers.compile(request)
  return compile.write(request, state)
end

-- Lua does not see how large a document is: left to itself, it would keep those of many requests.
local asked = 0

for line in io.lines() do
  local request = pandoc.json.decode(line, false)
  closed.begin()
  local ok, answer = xpcall(handlers[request.op], debug.traceback, request)
  if not ok then answer = { failed = tostring(answer) } end
  answer.used = closed.used()
  io.stdout:write(pandoc.json.encode(answer), '\n')
  io.stdout:flush()
  asked = asked + 1
  if asked % 4 == 0 then collectgarbage() end
end
