-- What a book's own extensions may use: they read files and change documents. They write no file and run no program,
-- so that to check or to preview somebody else's book changes nothing.

local refs = require 'refs'

local M = {}

local function refuse(name)
  return function()
    error(name .. ' is closed: in the embedded engine an extension writes no file and runs no program', 2)
  end
end

-- A copy of a table in which what writes or runs is refused.
local function without(from, name, closed)
  local copy = {}
  for key, value in pairs(from) do copy[key] = value end
  for _, key in ipairs(closed) do copy[key] = refuse(name .. '.' .. key) end
  return copy
end

local function only(from, name, open)
  local copy = setmetatable({}, { __index = function(_, key)
    return from[key] ~= nil and refuse(name .. '.' .. tostring(key)) or nil
  end })
  for _, key in ipairs(open) do copy[key] = from[key] end
  return copy
end

local open, lines = io.open, io.lines
local load_text = load

-- What an answer hangs on beyond its request: the files that were opened, the labels that were asked for, and whether
-- something was used that is another each time.
local used = { files = {}, labels = {} }

function M.begin() used = { files = {}, labels = {} } end

function M.note(kind, name) used[kind][name] = true end

function M.used()
  local function names(set)
    local list = pandoc.List {}
    for name in pairs(set) do list:insert(name) end
    return list
  end
  return { files = names(used.files), labels = names(used.labels), fleeting = used.fleeting == true }
end

local function fleeting(from, names)
  local copy = {}
  for key, value in pairs(from) do copy[key] = value end
  for _, name in ipairs(names) do
    local value = copy[name]
    copy[name] = value and function(...) used.fleeting = true; return value(...) end
  end
  return copy
end

local shared = {}
for _, name in ipairs { 'assert', 'error', 'ipairs', 'next', 'pairs', 'pcall', 'rawequal', 'rawget', 'rawlen', 'rawset',
                        'select', 'setmetatable', 'getmetatable', 'tonumber', 'tostring', 'type', 'warn', 'xpcall',
                        '_VERSION', 'string', 'table', 'math', 'utf8', 'coroutine', 'lpeg', 're', 'PANDOC_VERSION',
                        'PANDOC_API_VERSION', 'PANDOC_STATE', 'PANDOC_READER_OPTIONS', 'PANDOC_WRITER_OPTIONS' } do
  shared[name] = _G[name]
end

shared.os = only(fleeting(os, { 'clock', 'date', 'getenv', 'time' }), 'os', { 'clock', 'date', 'difftime', 'getenv', 'time' })
shared.math = fleeting(math, { 'random' })
shared.io = only(io, 'io', { 'stderr', 'type' })
-- Files are named from the book's root. A picture that is no file of the book can't be opened.
local refused = {}
local function readable(path)
  local plain = refs.join('', path)
  if path:sub(1, 1) == '/' or plain:match '^%.%.' or refused[plain] then
    return nil, path .. ' is not a file of the book'
  end
  return path
end
function shared.io.open(path, mode)
  if mode and not mode:match '^rb?$' then refuse 'io.open for writing' () end
  local own, reason = readable(path)
  if not own then return nil, reason end
  M.note('files', own)
  return open(own, mode)
end
function shared.io.lines(path, ...)
  local own = assert(readable(assert(path, 'io.lines needs a file')))
  M.note('files', own)
  return lines(own, ...)
end

-- The pictures of a chapter that may be opened, as a set: the `fine` ones among all that it names.
function M.pictures(chapter, fine)
  local set = {}
  refused = {}
  for _, name in ipairs(fine) do set[name] = true end
  for _, name in ipairs(chapter.pictures) do refused[name] = not set[name] or nil end
  return set
end
function shared.print(...)
  for _, value in ipairs { ... } do io.stderr:write(tostring(value), '\t') end
  io.stderr:write '\n'
end

-- Other formats than these may name files, which pandoc opens by itself.
local OPENS_NONE = { markdown = true, gfm = true, commonmark = true, commonmark_x = true, html = true, html5 = true,
                     bibtex = true, biblatex = true, json = true, native = true }
local function read(text, format, ...)
  if not OPENS_NONE[(type(format) == 'string' and format or 'markdown'):match '^%w*_?%w*'] then used.fleeting = true end
  return pandoc.read(text, format, ...)
end

shared.pandoc = without(pandoc, 'pandoc', { 'pipe', 'write_classic', 'zip', 'cli' })
shared.pandoc.read = read
shared.pandoc.system = only(fleeting(pandoc.system, { 'cputime', 'list_directory' }), 'pandoc.system',
  { 'arch', 'cputime', 'get_working_directory', 'list_directory', 'os' })
shared.pandoc.mediabag = only(pandoc.mediabag, 'pandoc.mediabag', { 'delete', 'empty', 'insert', 'items', 'list', 'lookup' })
shared.pandoc.utils = without(fleeting(pandoc.utils, { 'citeproc' }), 'pandoc.utils', { 'run_json_filter', 'run_lua_filter' })
shared.pandoc.path = fleeting(pandoc.path, { 'exists' })

-- The globals of one file of an extension; `require` finds the files beside it.
function M.environment(path)
  local env = setmetatable({}, { __index = shared })
  local loaded = {}
  env._G = env
  function env.load(text, name, _, own) return load_text(text, name, 't', own or env) end
  function env.require(name)
    if not name:match '^[%w_-]+$' then refuse('require of ' .. name) () end
    if loaded[name] == nil then
      local file = pandoc.path.join { pandoc.path.directory(path), name .. '.lua' }
      loaded[name] = assert(loadfile(file, 't', env))() or true
    end
    return loaded[name]
  end
  return env
end

-- Filters ask for the format in the global FORMAT and for the page's file in PANDOC_STATE, as under pandoc.
function M.format(name, path)
  shared.FORMAT = name
  shared.PANDOC_STATE = { input_files = { path } }
end

-- What filters may know of the whole book: label -> {page, kind, number, title}.
function M.share(labels) shared.HANDBOOK_LABELS = labels end

return M
