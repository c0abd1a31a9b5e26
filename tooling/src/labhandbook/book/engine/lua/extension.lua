-- The Quarto extension that the book lists under `filters:`: its shortcodes and filters, run as Quarto runs them.

local closed = require 'closed'

local M = { shortcodes = {}, filters = {} }

local function run(path)
  local env = closed.environment(path)
  local chunk = assert(loadfile(path, 't', env))
  return chunk() or env
end

-- Quarto's own shortcodes that need no more than a line.
local OWN = {
  ['hb-nothing'] = function() return pandoc.Inlines {} end,
  pagebreak = function()
    if M.reading == 'typst' then return pandoc.RawBlock('typst', '#pagebreak()') end
    return pandoc.RawBlock('html', '<div style="page-break-after: always;"></div>')
  end,
  kbd = function(args, kwargs)
    local key = args[1] or kwargs.win
    local text = pandoc.utils.stringify(#kwargs.linux > 0 and not args[1] and kwargs.linux or key)
    return pandoc.Inlines { pandoc.RawInline('html', '<kbd>'), pandoc.Str(text), pandoc.RawInline('html', '</kbd>') }
  end,
}

function M.load(shortcodes, filters)
  M.shortcodes, M.filters = {}, {}
  for name, handler in pairs(OWN) do M.shortcodes[name] = handler end
  for _, path in ipairs(shortcodes) do
    for name, handler in pairs(run(path)) do M.shortcodes[name] = handler end
  end
  for _, path in ipairs(filters) do
    local found = run(path)
    if #found == 0 then found = { found } end
    for _, filter in ipairs(found) do M.filters[#M.filters + 1] = filter end
  end
end

function M.names()
  local names = pandoc.List {}
  for name in pairs(M.shortcodes) do names:insert(name) end
  return names
end

-- The answer of a shortcode: a list of blocks or of inlines.
function M.call(code, meta)
  local args = pandoc.List(code.args):map(function(word) return pandoc.Inlines(word) end)
  local kwargs = setmetatable({}, { __index = function() return pandoc.Inlines {} end })
  for key, value in pairs(code.kwargs) do kwargs[key] = pandoc.Inlines(value) end
  return M.shortcodes[code.name](args, kwargs, meta, code.args)
end

function M.filter(doc, format, path)
  closed.format(format, path)
  for _, filter in ipairs(M.filters) do doc = doc:walk(filter) end
  return doc
end

return M
