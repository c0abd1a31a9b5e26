-- Shortcodes of the handbook. Quarto and the embedded engine call them in the same way.

local agreements = require 'agreements'
local changes = require 'changes'
local facts = require 'facts'
local glossary = require 'glossary'
local talks = require 'talks'
local stringify = pandoc.utils.stringify
local PEOPLE = 'chapters/people.yml'

-- The day of the chapter's last commit: given by the embedded engine, asked of git under Quarto. A PDF or EPUB
-- is one document of many chapters and shows none.
local function changed(meta)
  if meta['handbook-changed'] then return stringify(meta['handbook-changed']) end
  if not quarto or not quarto.doc.is_format 'html' then return '' end
  local file = quarto.doc.input_file
  local quiet = pandoc.path.separator == '\\' and 'nul' or '/dev/null'
  local git = io.popen(('git -C "%s" log -1 --format=%%cs -- "%s" 2>%s')
    :format(pandoc.path.directory(file), pandoc.path.filename(file), quiet))
  local day = git and git:read 'l' or ''
  if git then git:close() end
  return day
end

-- The page's path from the book's root: given by the embedded engine, known under Quarto. nil in a PDF or EPUB.
local function page(meta)
  if meta['handbook-page'] then return stringify(meta['handbook-page']) end
  if not quarto or not quarto.doc.is_format 'html:js' then return nil end
  return (pandoc.path.make_relative(quarto.doc.input_file, quarto.project.directory):gsub('\\', '/'))
end

-- Who answers for the page: the role and the name of people.yml whose folder leads to it.
local function owner(meta)
  local path, best = page(meta), nil
  local people = path and facts(PEOPLE)
  for _, one in pairs(people and people.owners or {}) do
    local folder = type(one) == 'table' and one.pages and stringify(one.pages)
    if folder and path:sub(1, #folder) == folder and (not best or #folder > #stringify(best.pages)) then best = one end
  end
  if not best then return '' end
  local role = stringify(best.role)
  return pandoc.Span(('%s (%s)'):format(role, stringify(best.name)), pandoc.Attr('', {}, { { 'data-owner', role } }))
end

-- The day on which the facts of a page are due to be checked again: given by the embedded engine, read under Quarto in
-- `_variables.yml`, which `handbook facts` writes, each value in quotes on a line of its own.
local function due(meta)
  if meta['handbook-review'] then return stringify(meta['handbook-review']) end
  if not quarto or not quarto.doc.is_format 'html' then return nil end
  local file = io.open(pandoc.path.join { quarto.project.directory, '_variables.yml' })
  if not file then return nil end
  local days = file:read('a'):match '\n"review%-days":\n(.*)' or ''
  file:close()
  for path, day in days:gmatch '[^\n]*"([^"]*)": "(%d%d%d%d%-%d%d%-%d%d)"' do
    if path == page(meta) then return day end
  end
end

-- freshness.html turns the day into how long ago it was, and says whether it is too long.
local function confirmed(day, meta)
  if day == '' then return day end
  local by = due(meta)
  return pandoc.Span(day, pandoc.Attr('', {}, { { 'data-confirmed', day }, by and { 'data-due', by } or nil }))
end

local function entry(name, value)
  return { pandoc.Plain { pandoc.Strong(name), pandoc.Space(), value } }
end

-- The reference page of each family of rules; the longest beginning of a code decides. rule_pages.py has the same list.
local VERSION, BUILT = '/chapters/packaging/rules.qmd', '/chapters/packaging/built-recipe-rules.qmd'
local REFERENCE = { BOOK = '/chapters/book-rules.qmd', REL00 = VERSION, REL01 = VERSION,
  REL0 = '/chapters/packaging/metadata-rules.qmd', REL2 = '/chapters/packaging/files-rules.qmd',
  REL = '/chapters/packaging/upload-rules.qmd', RCP = '/chapters/packaging/recipe-rules.qmd',
  RCP03 = BUILT, RCP04 = BUILT, RCP05 = BUILT, RCP06 = BUILT, GHA = '/chapters/packaging/actions-rules.qmd',
  HPC = '/chapters/hpc/rules.qmd', SEM = '/chapters/seminars/rules.qmd', WAT = '/chapters/watching-rules.qmd' }

local function reference(code)
  for length = #code, 1, -1 do
    local found = REFERENCE[code:sub(1, length)]
    if found then return found end
  end
end

-- The titles of a reference page's rules by their codes. It is read anew each time: the embedded engine makes a page
-- again when a file that was opened for it has changed.
local function titles(target)
  local found, path = {}, target:sub(2)
  local file = io.open(quarto and pandoc.path.join { quarto.project.directory, path } or path)
  for line in file and file:lines() or function() end do
    local name, words = line:match '^## (%u+%d+): (.-) {#'
    if name then found[name] = words:gsub('[\\`]', '') end
  end
  if file then file:close() end
  return found
end

return {
  -- {{< glossary >}}: the book's words and what they mean.
  glossary = glossary.list,

  -- {{< agreement hours >}}: a question to the group, and its answer.
  agreement = agreements,

  -- {{< changes pages >}}: the newest commits with their pages; {{< changes log >}}: the lists of the change log.
  changes = changes,

  -- {{< talks >}}: the talks of seminars/talks.ics.
  talks = talks,

  -- {{< rules REL001 REL002 >}}, in a paragraph of its own: one line that opens to the codes of the rules that check
  -- a step, as links to their reference.
  rules = function(args)
    local badges, known = pandoc.Inlines {}, {}
    for _, arg in ipairs(args) do
      local code = stringify(arg)
      local target = reference(code)
      known[target] = known[target] or titles(target)
      if #badges > 0 then badges:insert(pandoc.Space()) end
      badges:insert(pandoc.Link(code, target .. '#sec-rule-' .. code:lower(), known[target][code] or '',
        pandoc.Attr('', { 'rule' })))
    end
    local line = ('<details class="rules"><summary>Checked by %d rule%s</summary>'):format(#args, #args == 1 and '' or 's')
    return pandoc.Blocks { pandoc.RawBlock('html', line), pandoc.Para(badges), pandoc.RawBlock('html', '</details>') }
  end,

  -- {{< page-facts for="..." minutes="10" systems="laptop" confirmed="2026-11-21" >}}
  ['page-facts'] = function(_, kwargs, meta)
    local items = pandoc.List {}
    local function add(name, value, unit)
      if value ~= '' then items:insert(entry(name, unit and value .. unit or value)) end
    end
    add('For', stringify(kwargs['for']))
    add('Takes', stringify(kwargs['minutes']), ' min')
    add('On', stringify(kwargs['systems']))
    add('Changed', changed(meta))
    add('Confirmed', confirmed(stringify(kwargs['confirmed']), meta))
    add('Owner', owner(meta))
    return pandoc.Div({ pandoc.BulletList(items) }, pandoc.Attr('', { 'page-facts' }))
  end,
}
