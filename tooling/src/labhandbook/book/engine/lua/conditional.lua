-- Content for some formats only: what Quarto leaves out of a format is not read at all.

local M = {}

local HTML = { html = true, ['html:js'] = true }
local EPUB = { html = true, epub = true, epub3 = true }
local TYPST = { typst = true }

-- Whether an element is left out. `format` is html, epub or typst; a profile is never active.
local function hidden(element, format)
  local visible = element.classes:includes 'content-visible'
  if not visible and not element.classes:includes 'content-hidden' then return false end
  local formats = format == 'typst' and TYPST or format == 'epub' and EPUB or HTML
  local attributes, match = element.attributes, true
  if attributes['when-format'] then match = match and formats[attributes['when-format']] == true end
  if attributes['unless-format'] then match = match and not formats[attributes['unless-format']] end
  if attributes['when-profile'] then match = false end
  return match ~= visible
end

-- A document without what `format` does not show; `text` is what it was read from.
function M.keep(doc, format, text)
  if not text:find 'content%-' and not text:find '%]%(%s*%)' then return doc end
  local function judge(empty)
    return function(element)
      if element.attributes['when-meta'] or element.attributes['unless-meta'] then return nil end
      if hidden(element, format) then return empty, false end
      element.classes = element.classes:filter(function(class) return not class:match '^content%-' end)
      for _, name in ipairs { 'when-format', 'unless-format', 'when-profile', 'unless-profile' } do
        element.attributes[name] = nil
      end
      return element
    end
  end
  return doc:walk { traverse = 'topdown', Div = judge(pandoc.Blocks {}), Span = judge(pandoc.Inlines {}),
                    -- pandoc gives the extension of pictures to one without a name, too.
                    Image = function(image)
                      if image.src == '.png' then image.src = ''; return image end
                    end }
end

return M
