-- The links and the files of a page: what leads to chapters, and what must be copied.

local closed = require 'closed'
local refs = require 'refs'

-- An address from the book's root (with a leading slash) becomes one from the page: the site may be in a folder.
local function rooted(element, key, path, file)
  if element[key]:sub(1, 1) ~= '/' then return nil end
  element[key] = refs.relative(path, file)
  return element
end

-- A picture of the book (one of `pictures`) with its size, so that the text holds still while it loads.
local function sized(image, file, pictures)
  if image.attributes.width or image.attributes.height or not pictures[file] then return image end
  local fine, size = pcall(function()
    closed.note('files', file)
    local stream <close> = assert(io.open(file, 'rb'))
    return pandoc.image.size(stream:read 'a')
  end)
  if fine then image.attributes.width, image.attributes.height = tostring(size.width), tostring(size.height) end
  return image
end

-- The tags of raw HTML whose files Quarto copies (core/html.ts).
local SOURCES = { img = true, script = true, embed = true, iframe = true, source = true }
local HEADINGS = { sec = true, chapter = true, appendix = true, part = true }

-- Links to chapters and cross-references become links to pages; other local files are noted, so that they are copied.
return function(doc, chapter, state, blame, resources, pictures, cite)
  local pages, labels, settings = state.pages, state.labels, state.settings
  local path, own = chapter.path, chapter.own
  local external = refs.external
  local function note(src)
    if not external(src) then resources:insert { path = (refs.resolve(path, src)), target = src } end
  end
  local function raw(element)
    if not element.format:match '^html' then return nil end
    -- A picture that a filter has put into the page keeps the name of its file.
    local embedded = element.text:match '^<svg [^>]*data%-src="([^"]+)"'
    for tag, src in element.text:gmatch '<(%a+)[^<>]-%ssrc=["\']([^"\']+)["\']' do
      if SOURCES[tag:lower()] then note(src) end
    end
    if embedded then note(embedded) end
    local text = element.text:gsub('(<[aA]%s[^<>]*href=)(["\'])([^"\'#:]+)', function(start, quote, target)
      local file = refs.resolve(path, target)
      return pages[file] and start .. quote .. refs.relative(path, pages[file]) or nil
    end)
    if text == element.text then return nil end
    element.text = text
    return element
  end
  return doc:walk {
    traverse = 'topdown', Cite = cite,
    Link = function(link)
      -- A link to the heading of another page by its id alone leads there, as under Quarto.
      local heading = not own[link.target:sub(2)] and link.target:match '^#.' and labels[link.target:sub(2)]
      if heading and HEADINGS[heading.kind] and heading.page ~= path then
        link.target = refs.relative(path, pages[heading.page]) .. link.target
        return link
      end
      if settings['new-window'] and link.target:match '^https?://' then
        link.attributes.target, link.attributes.rel = '_blank', 'noopener'
        return link
      end
      if external(link.target) then return nil end
      local file, fragment = refs.resolve(path, link.target)
      local plain = file:gsub('%%(%x%x)', function(code) return string.char(tonumber(code, 16)) end)
      file = pages[plain] and plain or file
      if pages[file] or file:match '%.qmd$' then
        if pages[file] then
          local label = labels[fragment:sub(2)]
          if label and label.kind == 'part' then
            blame('link', link.target, link.target .. " is a part's title, which a PDF can't link to: link to a section")
          end
          link.target = refs.relative(path, pages[file]) .. fragment
          return link
        end
        blame('link', link.target, link.target .. ' is not a chapter that _quarto.yml lists')
      else
        resources:insert { path = file, target = link.target }
        return rooted(link, 'target', path, file .. fragment)
      end
    end,
    Image = function(image)
      -- `fig-alt` is the alternative text of any picture.
      image.attributes.alt, image.attributes['fig-alt'] = image.attributes['fig-alt'] or image.attributes.alt, nil
      if external(image.src) then return image end
      local file = refs.resolve(path, image.src)
      resources:insert { path = file, target = image.src }
      return sized(rooted(image, 'src', path, file) or image, file, pictures)
    end,
    -- A picture that a filter has put into the page keeps the name of its file.
    RawInline = raw, RawBlock = raw,
  }
end
