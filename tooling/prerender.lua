-- Quarto runs this before it renders. It writes _variables.yml, which {{< var >}} reads in the chapters.
--
-- The package does it where it is installed. Where it is not, this script reads the facts files by itself, so that
-- Quarto alone still renders the book; the addresses of the package indexes then stay shell variables to set.

local OUT = '_variables.yml'
local STAMPS = { source = true, checked = true, ['review-by'] = true, note = true }

local function by_package()
  for _, program in ipairs { '.venv/bin/handbook', 'handbook' } do
    if pcall(pandoc.pipe, program, { 'facts', '--write' }, '') then return true end
  end
  return false
end

local function read(path)
  local file = assert(io.open(path, 'r'))
  local text = file:read 'a'
  file:close()
  return text
end

-- A YAML file as nested tables. Its values hold no Markdown, so that reading them as metadata keeps them whole.
local function yaml(path)
  local doc = pandoc.read('---\n' .. read(path) .. '\n---\n', 'markdown-smart-tex_math_dollars-citations')
  local function plain(value)
    local kind = pandoc.utils.type(value)
    if kind == 'Inlines' or kind == 'Blocks' or kind == 'string' or kind == 'boolean' then
      return pandoc.utils.stringify(value)
    end
    local out = {}
    for key, inner in pairs(value) do
      if not STAMPS[key] then out[tostring(key)] = plain(inner) end
    end
    return out
  end
  return plain(doc.meta)
end

-- A JSON object as nested tables of text: a number stays as it is written, and what stands in a list is no variable.
local function json(path)
  local text = read(path):gsub('\\\\', '\1'):gsub('\\"', '\2') .. '""'
  text = text:gsub('([^"]*)("[^"]*")', function(bare, quoted) return bare:gsub('[%w.+-]+', '"%0"') .. quoted end)
  text = text:sub(1, -3):gsub('\2', '\\"'):gsub('\1', '\\\\')
  local function named(value)
    if type(value) ~= 'table' or value[1] ~= nil then return type(value) == 'string' and value or nil end
    local out = {}
    for key, inner in pairs(value) do out[key] = named(inner) end
    return out
  end
  return named(pandoc.json.decode(text, false))
end

-- The facts files and the results of projects under a folder.
local function files(folder, found)
  local names = pandoc.List(pandoc.system.list_directory(folder))
  for _, name in ipairs(names) do
    local path = folder .. '/' .. name
    if name:match '^[^._].*%.yml$' then
      found.facts:insert(path)
    elseif name == 'results.json' and names:includes 'index.qmd' then
      found.results:insert(path)
    elseif not name:match '%.' and pcall(pandoc.system.list_directory, path) then
      files(path, found)
    end
  end
  return found
end

local function unknown(label, name)
  local simple = ('"${%s_SIMPLE:?set it to the simple index address of %s}"'):format(name:upper(), label)
  return { web = 'https://packaging.python.org/#', host = label, simple = simple }
end

local function by_itself()
  local book = yaml('_quarto.yml').book
  local tree = {
    book = { title = book.title, group = book.author, repo = book['repo-url'], site = book['site-url'] },
    index = { pypi = unknown('PyPI', 'pypi'), testpypi = unknown('TestPyPI', 'testpypi') },
  }
  local found = files('chapters', { facts = pandoc.List {}, results = pandoc.List {} })
  for _, path in ipairs(found.facts) do
    tree[path:match '([^/]+)%.yml$'] = yaml(path)
  end
  for _, path in ipairs(found.results) do
    tree.results = tree.results or {}
    tree.results[path:match '([^/]+)/[^/]+$'] = json(path)
  end
  -- JSON is YAML.
  local file = assert(io.open(OUT, 'w'))
  file:write('# Written by the pre-render script from the facts files; edit those instead.\n',
    pandoc.json.encode(tree), '\n')
  file:close()
  print 'handbook: the labhandbook package is not installed, so the pages show shell variables where the addresses'
  print '          of package indexes belong. `make` installs it.'
end

if not by_package() then by_itself() end
