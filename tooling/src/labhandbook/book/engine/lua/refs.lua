-- Cross-references, links between chapters and citations.

local stringify = pandoc.utils.stringify

local M = {}

-- The words that the engine writes itself, by the names that they have in Quarto's `language`.
M.words = {}
local PREFIX = { sec = 'sec', chapter = 'ch', appendix = 'apx', fig = 'fig', tbl = 'tbl', eq = 'eq' }
local CROSSREF = '^(%a+)%-'
-- What Quarto reads as a cross-reference. The engine refuses those outside PREFIX.
local KNOWN = { sec = true, fig = true, tbl = true, eq = true, lst = true, thm = true, lem = true, cor = true,
                prp = true, cnj = true, def = true, exm = true, exr = true, sol = true, rem = true, alg = true,
                tip = true, nte = true, wrn = true, imp = true, cau = true }

-- What leads to a label of a kind: "Figure"; it may be empty.
local function prefix(kind) return M.words['crossref-' .. PREFIX[kind] .. '-prefix'] end

-- "Figure 1.2: " before a caption; without the colon where there is no caption.
function M.caption_lead(kind, number, caption)
  local lead = M.words['crossref-' .. kind .. '-title'] .. '\u{a0}' .. number
  if not caption then return pandoc.Inlines { pandoc.Str(lead) } end
  return pandoc.Inlines { pandoc.Str(lead .. (M.words['crossref-title-delim'] or ':')), pandoc.Space() }
end

function M.is_crossref(id)
  local prefix = id:match(CROSSREF)
  return prefix ~= nil and KNOWN[prefix:lower()] == true
end

-- `path` as seen from `folder`, with `..` and `.` taken out.
function M.join(folder, path)
  local parts = pandoc.List {}
  for part in (folder .. '/' .. path):gmatch '[^/]+' do
    if part == '..' and #parts > 0 and parts[#parts] ~= '..' then
      parts:remove()
    elseif part ~= '.' then
      parts:insert(part)
    end
  end
  return table.concat(parts, '/')
end

-- Whether a target is an address elsewhere or a place on the page.
function M.external(target)
  return target:match '^%a[%w+.-]*:' or target:match '^#' or target == ''
end

-- The path of a link as seen from the book's root, and its fragment; pandoc writes a blank as %20.
function M.resolve(from, target)
  local file, fragment = target:match '^([^#]*)(#?.*)$'
  file = file:gsub('%%(%x%x)', function(code) return string.char(tonumber(code, 16)) end)
  if file:sub(1, 1) == '/' then return file:sub(2), fragment end
  return M.join(pandoc.path.directory(from), file), fragment
end

-- The address of `target` (from the site's root) as seen from the page `from`.
function M.relative(from, target)
  local up = {}
  for _ in pandoc.path.directory(from):gmatch '[^/.]+' do up[#up + 1] = '..' end
  local there = {}
  for part in target:gmatch '[^/]+' do there[#there + 1] = part end
  local here = {}
  for part in pandoc.path.directory(from):gmatch '[^/.]+' do here[#here + 1] = part end
  while #here > 0 and #there > 1 and here[1] == there[1] do
    table.remove(here, 1); table.remove(there, 1); table.remove(up)
  end
  return table.concat(up, '/') .. (#up > 0 and '/' or '') .. table.concat(there, '/')
end

-- What comes before the title of an appendix.
function M.appendix(letter) return M.words['crossref-apx-prefix'] .. ' ' .. letter .. ' — ' end

-- What is shown for a label: its kind and number, or for a section seen from a page without numbers its title.
local function wording(citation, label, by_title)
  if by_title and (label.kind == 'sec' or label.kind == 'chapter' or label.kind == 'appendix') then
    local number = label.kind == 'appendix' and M.appendix(label.number) or label.kind == 'chapter' and label.number .. '\u{a0} ' or ''
    return pandoc.Inlines { pandoc.Str(number .. label.title) }
  end
  local text = pandoc.Inlines {}
  if citation.mode ~= 'SuppressAuthor' then
    local lead = #citation.prefix > 0 and citation.prefix or pandoc.Inlines(prefix(label.kind))
    text:extend(lead)
    if #lead > 0 then text:insert(pandoc.Str '\u{a0}') end
  end
  -- In a span as under Quarto, so that styles can tell it from a title before it.
  local number = pandoc.Str(label.number)
  text:insert(text[1] and text[1].t == 'Span' and pandoc.Span { number } or number)
  return text
end

-- "Section 1.2" as a link; nil for an unknown label.
local function reference(citation, labels, href, by_title)
  local id = citation.id:sub(1, 1):lower() .. citation.id:sub(2)
  local label = labels[id]
  if not label or label.number == '' then return nil, label end
  local text = wording(citation, label, by_title)
  return pandoc.Link(text, href(label.page, id), '', pandoc.Attr('', { 'quarto-xref' }))
end

-- The filter of Cite elements that makes links of cross-references; `href(page, id)` gives the address. `by_title`
-- calls sections by their titles, as Quarto does on a page without numbers.
function M.crossref(labels, href, blame, by_title)
  return function(cite)
    local cross = false
    for _, citation in ipairs(cite.citations) do cross = cross or M.is_crossref(citation.id) end
    if not cross then return nil end
    local out = pandoc.Inlines {}
    for place, citation in ipairs(cite.citations) do
      local link, label = reference(citation, labels, href, by_title)
      if not M.is_crossref(citation.id) then
        blame('reference', '@' .. citation.id, '@' .. citation.id .. ' is lost: in brackets with a cross-reference Quarto '
          .. 'shows no citation; give it brackets of its own')
      elseif not link then
        -- A kind that the engine doesn't render is one problem, reported once.
        if PREFIX[citation.id:match(CROSSREF):lower()] then
          blame('reference', '@' .. citation.id, '@' .. citation.id .. (label and ' has no number: link to it instead'
            or ' refers to nothing in the book'))
        end
      end
      link = link or pandoc.Strong { pandoc.Str('?' .. citation.id) }
      if place > 1 then out:extend { pandoc.Str ',', pandoc.Space() } end
      out:insert(link)
    end
    return out
  end
end

-- What citeproc made of the citations of a page, by page: it reads its style again each time, which an edited word
-- elsewhere on the page need not wait for. A citation that ends with a full stop is not kept, as citeproc then looks
-- at what follows it.
local set = {}

-- The citations of a document.
function M.cites(doc)
  local found = pandoc.List {}
  doc:walk { Cite = function(cite) found:insert(cite) end }
  return found
end

-- Each page has made its own list, or its citations would not be links; one page keeps it.
local function unlisted(div)
  if div.identifier == 'refs' then return {} end
end

local function again(doc, contents)
  local place = 0
  return doc:walk { Div = unlisted, Cite = function(cite)
    place = place + 1
    cite.content = contents[place]
    return cite
  end }
end

local function keep(doc, path, key)
  local contents = M.cites(doc):map(function(cite) return cite.content end)
  local stop = contents:find_if(function(content) return stringify(content):match '%.$' end)
  set[path] = not stop and { key = key, contents = contents } or nil
end

-- Forget the citations that were set: the bibliography has changed.
function M.forget() set = {} end

-- Blame a citation of a work that the bibliography lacks. Without any bibliography @name is text, as in Quarto.
function M.unknown(citation, state, blame)
  if not state.references[citation.id] and (state.settings.cites or citation.mode ~= 'AuthorInText') then
    blame('citation', '@' .. citation.id, '@' .. citation.id .. ' is not in the bibliography')
  end
end

-- Citations by citeproc, author-date: `cites` are those of the document. `target` is the text before `#ref-KEY`; `all`
-- lists every key of the book on the page that holds the bibliography. Without such a page each lists its `own`.
function M.citations(doc, cites, state, target, all, blame, path, own)
  local wanted = {}
  for _, key in ipairs(all or {}) do wanted[key] = true end
  for _, cite in ipairs(cites) do
    for _, citation in ipairs(cite.citations) do
      wanted[citation.id] = true
      M.unknown(citation, state, blame)
    end
  end
  if not state.settings.cites or #cites == 0 and not all then return doc end
  local key = target .. '\n' .. table.concat(cites:map(tostring), '\n')
  local lists = all or own
  local kept = path and not lists and set[path]
  if kept and kept.key == key then return again(doc, kept.contents) end
  local references, nocite = pandoc.List {}, pandoc.List {}
  for key in pairs(wanted) do
    if state.references[key] then
      references:insert(state.references[key])
      if all then nocite:insert(pandoc.Citation(key, 'NormalCitation')) end
    end
  end
  doc.meta.references = references
  doc.meta['link-citations'] = true
  doc.meta.csl = state.settings.csl ~= '' and state.settings.csl or nil
  if all then doc.meta.nocite = pandoc.Inlines { pandoc.Cite({}, nocite) } end
  doc = pandoc.utils.citeproc(doc)
  doc.meta.references, doc.meta.nocite, doc.meta.csl = nil, nil, nil
  doc = doc:walk {
    Div = not lists and unlisted or nil,
    Link = function(link)
      if link.target:match '^#ref%-' then
        link.target = target .. link.target
        return link
      end
    end,
  }
  if path and not lists then keep(doc, path, key) end
  return doc
end

return M
