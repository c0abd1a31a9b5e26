-- {{< changes pages >}}: the newest commits and the pages that they changed, by day; {{< changes log >}}: the lists of
-- CHANGELOG.md.

local root = quarto and quarto.project.directory or '.'
local LATEST = 40 -- commits
local MANY = 5 -- pages of a commit are counted, not listed

local function read(name)
  local file = io.open(quarto and pandoc.path.join { root, name } or name)
  if not file then return '' end
  local text = file:read 'a'
  file:close()
  return text
end

-- What git says of the chapters' commits, newest first: "@2026-11-21 Subject", then a path a line. The embedded engine
-- gives it; Quarto asks git.
local function history(meta)
  if meta['handbook-commits'] then return pandoc.utils.stringify(meta['handbook-commits']) end
  local git = io.popen(('git -C "%s" -c core.quotePath=off log -n 200 --relative "--format=@%%cs %%s" --name-only -- "*.qmd" 2>%s')
    :format(root, pandoc.path.separator == '\\' and 'nul' or '/dev/null'))
  local text = git and git:read 'a' or ''
  if git then git:close() end
  return text
end

local function title(path)
  if path == 'index.qmd' then return pandoc.Inlines 'Home' end
  local heading = ('\n' .. read(path)):match '\n# ([^\n]*)'
  return heading and pandoc.read('# ' .. heading, 'markdown').blocks[1].content or pandoc.Inlines(path)
end

-- The pages that a commit changed, and its subject.
local function entry(commit)
  local line = pandoc.Inlines {}
  if #commit.paths < MANY then
    for _, path in ipairs(commit.paths) do
      if #line > 0 then line:extend { pandoc.Str ',', pandoc.Space() } end
      line:insert(pandoc.Link(title(path), '/' .. path))
    end
  else
    line:insert(pandoc.Str(#commit.paths .. ' pages'))
  end
  line:extend { pandoc.Str ':', pandoc.Space(), pandoc.Str(commit.subject) }
  return { pandoc.Plain(line) }
end

-- The newest commits that changed pages of the book, by day; those with the same subject are one.
local function pages(meta)
  local listed, days, said, paths = {}, pandoc.List {}, {}, nil
  for path in read '_quarto.yml':gmatch '[%w_./-]+%.qmd' do listed[path] = true end
  for line in history(meta):gmatch '[^\n]+' do
    local day, subject = line:match '^@(%S+) (.*)'
    if day then
      paths = said[subject] or pandoc.List {}
      if not said[subject] then
        if #days == 0 or days[#days].day ~= day then days:insert { day = day, commits = pandoc.List {} } end
        days[#days].commits:insert { subject = subject, paths = paths }
        said[subject] = paths
      end
    elseif listed[line] and not paths:includes(line) then
      paths:insert(line)
    end
  end
  local all, count = pandoc.Blocks {}, 0
  for _, one in ipairs(days) do
    local items = pandoc.List {}
    for _, commit in ipairs(one.commits) do
      if #commit.paths > 0 and count < LATEST then
        count = count + 1
        items:insert(entry(commit))
      end
    end
    if #items > 0 then all:extend { pandoc.Para { pandoc.Strong(one.day) }, pandoc.BulletList(items) } end
  end
  return #all > 0 and all
    or pandoc.Blocks { pandoc.Para 'This copy of the book has no history in git, so its changes are not known.' }
end

-- Quarto would answer a shortcode that a line of the log shows as code.
local function as_written(code)
  if code.text:find('{{<', 1, true) then code.attributes.shortcodes = 'false'; return code end
end

-- Each list of the change log behind a line with its headings: "Unreleased: Changed (12)".
local function log()
  local all, version, kind = pandoc.Blocks {}, '', nil
  for _, block in ipairs(pandoc.read(read 'CHANGELOG.md', 'gfm').blocks) do
    if block.t == 'Header' then
      version = block.level == 2 and pandoc.utils.stringify(block) or version
      kind = block.level == 3 and pandoc.utils.stringify(block) or nil
    elseif block.t == 'BulletList' then
      local words = ('%s (%d)'):format(kind and version .. ': ' .. kind or version, #block.content)
      all:extend { pandoc.RawBlock('html', '<details><summary>'), pandoc.Plain(words), pandoc.RawBlock('html', '</summary>'),
        quarto and block:walk { Code = as_written } or block, pandoc.RawBlock('html', '</details>') }
    end
  end
  -- Its words would come before the pages that teach what they say.
  return pandoc.Div(all, pandoc.Attr('', { 'change-log' }, { ['data-search-ignore'] = '' }))
end

return function(args, _, meta)
  local html = quarto and quarto.doc.is_format 'html:js' or meta['handbook-commits']
  if not html then return pandoc.Blocks { pandoc.Para 'The site lists it.' } end
  return pandoc.utils.stringify(args[1]) == 'log' and pandoc.Blocks { log() } or pages(meta)
end
