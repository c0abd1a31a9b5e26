-- The words of glossary.yml: [sdist]{.gloss} leads to its entry and shows the meaning on hover; {{< glossary >}} lists all.

local facts = require 'facts'
local PAGE, DATA = '/chapters/glossary.qmd', '_extensions/handbook/glossary.yml'
local stringify = pandoc.utils.stringify

local M = {}

-- Term -> what it means.
local function read() return assert(facts(DATA), DATA .. ' is not there') end

local function id(term) return 'gloss-' .. term:lower():gsub(' ', '-') end

-- "wheels" and "Wheel" are found as "wheel".
function M.link(span)
  if not span.classes:includes 'gloss' then return nil end
  local words, meanings = stringify(span), read()
  local one = words:gsub('s$', '')
  local term
  for _, form in ipairs { words, one, words:lower(), one:lower() } do
    term = term or meanings[form] and form
  end
  if not term then error(words .. ' is not a word of ' .. DATA, 0) end
  return pandoc.Link(span.content, PAGE .. '#' .. id(term), stringify(meanings[term]), pandoc.Attr('', { 'gloss' }))
end

function M.list()
  local terms, meanings = pandoc.List {}, read()
  for term in pairs(meanings) do terms:insert(term) end
  terms:sort(function(one, other) return one:lower() < other:lower() end)
  return pandoc.Blocks { pandoc.DefinitionList(terms:map(function(term)
    return { { pandoc.Span(term, pandoc.Attr(id(term))) }, { pandoc.Blocks { pandoc.Plain(meanings[term]) } } }
  end)) }
end

return M
