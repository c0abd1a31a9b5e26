-- What the checks need to know about a chapter beyond what reading it found. Nothing is written.

local closed = require 'closed'
local extension = require 'extension'
local refs = require 'refs'

-- The headings that name a tab or a callout; they begin no section.
local function headless(div, names)
  local tabset = div.classes:includes 'panel-tabset'
  local first = tabset and div.content:find_if(function(block) return block.t == 'Header' end) or div.content[1]
  if not first or first.t ~= 'Header' then return end
  for place, block in ipairs(div.content) do
    local callout = place == 1 and div.classes:find_if(function(class) return class:match '^callout%-' end)
    if block.t == 'Header' and (callout or tabset and block.level == first.level) then
      names[block.identifier] = tabset and 'tab' or 'callout'
    end
  end
end

-- Returns {problems, headings, images, links, code, raw, tabs, footnotes} in the order of the text.
return function(chapter, state, pictures)
  local problems, headings, images, links, code, raw, footnotes =
    pandoc.List {}, pandoc.List {}, pandoc.List {}, pandoc.List {}, pandoc.List {}, pandoc.List {}, pandoc.List {}
  local function blame(kind, needle, message)
    problems:insert { kind = kind, needle = needle, message = message }
  end
  closed.pictures(chapter, pictures)
  local docs = { extension.filter(chapter.doc, 'html') }
  if not chapter.home then docs[2] = pandoc.Pandoc(pandoc.Plain(chapter.title.content)) end
  local crossref = refs.crossref(state.labels, function() return '' end, blame)
  local names = {}
  local function html(element)
    if element.format:match '^html' then raw:insert(element.text) end
  end
  local watch = {
    traverse = 'topdown',
    Div = function(div) headless(div, names) end,
    Header = function(header)
      if names[header.identifier] then return nil end
      headings:insert { level = header.level, id = header.identifier, text = pandoc.utils.stringify(header.content) }
    end,
    Figure = function(figure)
      figure.content = figure.content:walk { Image = function(image)
        image.attributes['handbook-figure'] = 'yes'
        return image
      end }
      return figure
    end,
    Image = function(image)
      local own = image.attributes['fig-alt'] or image.attributes.alt
      local caption = pandoc.utils.stringify(image.caption)
      images:insert { src = image.src, alt = own or (image.attributes['handbook-figure'] and '' or caption) }
    end,
    Link = function(link) links:insert(link.target) end,
    CodeBlock = function(block) code:insert { classes = block.classes, text = block.text } end,
    RawInline = html, RawBlock = html,
    -- A footnote that is defined is a Note; this is the text of one that is not.
    Str = chapter.noted and function(str)
      for needle in str.text:gmatch '%[%^[^%[%]%s]+%]' do footnotes:insert(needle) end
    end or nil,
    Cite = function(cite)
      crossref(cite)
      for _, citation in ipairs(cite.citations) do
        if not refs.is_crossref(citation.id) then refs.unknown(citation, state, blame) end
      end
    end,
  }
  for _, doc in ipairs(docs) do doc:walk(watch) end
  local tabs = pandoc.List {}
  for id, kind in pairs(names) do
    if kind == 'tab' then tabs:insert(id) end
  end
  return { problems = problems, headings = headings, images = images, links = links, code = code, raw = raw,
           tabs = tabs, footnotes = footnotes }
end
