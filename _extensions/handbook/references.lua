-- A cross-reference to a section says the section's title; its number follows. `@sec-x` becomes "Tag the release 1.2"
-- in place of "Section 1.2": the title is given to Quarto's own cross-references as the words before the number.

local root = quarto and quarto.project.directory or '.'
local titles -- under Quarto: id -> title, as the sources have it

-- The headings of the files that _quarto.yml lists.
local function headings()
  local found = {}
  for path in io.open(pandoc.path.join { root, '_quarto.yml' }):read 'a':gmatch '[%w_./-]+%.qmd' do
    local file = io.open(pandoc.path.join { root, path })
    for line in file and file:lines() or function() end do
      local title, id = line:match '^#+%s+(.-)%s*{#(sec%-[^%s}]+)[^}]*}%s*$'
      if id then found[id] = found[id] or title end
    end
    if file then file:close() end
  end
  return found
end

-- The embedded engine knows the titles; they change while it serves a preview.
local function title(id)
  if HANDBOOK_LABELS then return HANDBOOK_LABELS[id] and HANDBOOK_LABELS[id].title end
  titles = titles or headings()
  return titles[id] and pandoc.utils.stringify(pandoc.read(titles[id], 'markdown'))
end

-- On a page without numbers Quarto says titles by itself.
local function unnumbered()
  return quarto and _G.param and FORMAT:match 'html' and not _G.param('number-sections', false)
end

return { { Cite = function(cite)
  local changed = false
  for _, citation in ipairs(cite.citations) do
    local id = citation.id:sub(1, 1):lower() .. citation.id:sub(2)
    local plain = #citation.prefix == 0 and citation.mode ~= 'SuppressAuthor'
    local words = id:match '^sec%-' and plain and not unnumbered() and title(id)
    if words and words ~= '' then
      local whole = FORMAT:match 'html' and pandoc.Str(words) or pandoc.Emph(words)
      citation.prefix = { pandoc.Span({ whole }, { class = 'xref-title' }) }
      changed = true
    end
  end
  return changed and cite or nil
end } }
