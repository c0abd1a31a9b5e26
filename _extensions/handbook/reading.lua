-- Reading paths from references.bib: its `keywords` name topic, level, kind, minutes and what to read before
-- (after:KEY), `annotation` says why, `shorttitle` what people call the work. The order is that of the file.

local BIBLIOGRAPHY = 'references.bib'
local root = quarto and quarto.project.directory or '.'
local stringify = pandoc.utils.stringify
local works -- in the order of the file; also by key

local function keywords(entry)
  local found = { after = pandoc.List {} }
  for word in stringify(entry.keyword or ''):gmatch '[^,]+' do
    local name, value = word:match '^%s*([%w-]+):(.-)%s*$'
    if name == 'after' then found.after:insert(value) elseif name then found[name] = value end
  end
  return found
end

local function read()
  if works then return works end
  local path = pandoc.path.join { root, BIBLIOGRAPHY }
  local file = io.open(path, 'r')
  if not file then error(path .. ' does not exist', 0) end
  local meta = pandoc.read(file:read 'a', 'biblatex').meta
  file:close()
  works = pandoc.List {}
  for _, entry in ipairs(meta.references or {}) do
    local work = keywords(entry)
    local doi = entry.DOI or entry.doi
    work.key, work.title = stringify(entry.id), pandoc.Inlines(entry.title)
    work.url = doi and 'https://doi.org/' .. stringify(doi) or stringify(entry.URL or entry.url or '')
    work.name = stringify(entry['title-short'] or entry.title)
    work.why = pandoc.Inlines(entry.annote or {})
    work.minutes = tonumber(work.minutes) or 0
    works:insert(work)
    works[work.key] = work
  end
  return works
end

local function path(topic)
  local found = read():filter(function(work) return work.topic == topic end)
  if #found == 0 then
    local known, topics = {}, pandoc.List {}
    for _, work in ipairs(works) do
      if work.topic and not known[work.topic] then
        known[work.topic] = true
        topics:insert(work.topic)
      end
    end
    error(('no work of %s has the keyword topic:%s; there are %s')
      :format(BIBLIOGRAPHY, topic, table.concat(topics, ', ')), 0)
  end
  return found
end

-- Minutes up to two hours, then hours and halves.
local function time(minutes)
  if minutes <= 120 then return minutes .. ' minutes' end
  local halves = math.floor(minutes / 30 + 0.5)
  return (halves % 2 == 0 and '%d hours' or '%.1f hours'):format(halves / 2)
end

local function total(list)
  local minutes = 0
  for _, work in ipairs(list) do minutes = minutes + work.minutes end
  return ('about %d hours'):format(math.floor(minutes / 60 + 0.5))
end

local function cite(key)
  return pandoc.Cite({ pandoc.Str('@' .. key) }, { pandoc.Citation(key, 'AuthorInText') })
end

-- What to read before: a work of the same path by its name, any other work by its authors.
local function before(work)
  local out = pandoc.Inlines { pandoc.Space(), pandoc.Emph 'Before:', pandoc.Space() }
  for place, key in ipairs(work.after) do
    local other = works[key]
    if not other then error(('%s names %s, which %s does not hold'):format(work.key, key, BIBLIOGRAPHY), 0) end
    if place > 1 then out:extend { pandoc.Str ';', pandoc.Space() } end
    out:insert(other.topic == work.topic and pandoc.Str(other.name) or cite(key))
  end
  out:insert(pandoc.Str '.')
  return out
end

local function item(work, short)
  local link = pandoc.Link(work.title, work.url)
  local line = pandoc.Inlines {}
  if stringify(work.title):lower():find(work.name:lower(), 1, true) then
    line:insert(pandoc.Strong(link))
  else
    line:extend { pandoc.Strong(work.name .. ':'), pandoc.Space(), link }
  end
  local facts = ('%s %s, %s'):format(work.level or '?', work.kind or '?', time(work.minutes))
  line:extend { pandoc.Space(), pandoc.Str('(' .. facts .. ').') }
  if short then return { pandoc.Plain(line) } end
  line:extend { pandoc.Space(), cite(work.key), pandoc.Space() }
  line:extend(work.why)
  if #work.after > 0 then line:extend(before(work)) end
  return { pandoc.Para(line) }
end

return {
  -- {{< reading-path deep-rl >}}: the works of a topic in their order. level="core advanced" shows only those; their
  -- numbers stay. short="yes" leaves out why, and what to read before.
  ['reading-path'] = function(args, kwargs)
    local levels = stringify(kwargs.level)
    local short = stringify(kwargs.short) == 'yes'
    local list, first = pandoc.List {}, nil
    for number, work in ipairs(path(stringify(args[1]))) do
      if levels == '' or levels:find(work.level or '?', 1, true) then
        first = first or number
        list:insert(item(work, short))
      end
    end
    return pandoc.Blocks { pandoc.OrderedList(list, pandoc.ListAttributes(first or 1)) }
  end,

  -- {{< reading-time deep-rl >}}: how long the whole path takes; {{< reading-time deep-rl first >}}: its first work.
  ['reading-time'] = function(args)
    local found = path(stringify(args[1]))
    return args[2] and pandoc.Str(time(found[1].minutes)) or pandoc.Str(total(found))
  end,
}
