-- The shapes that Quarto gives to what an author wrote in another way, before anything is numbered.

local list_table = require 'list_table'
local refs = require 'refs'

local M = {}

local PROOFS = { 'proof', 'remark', 'solution' }

function M.markdown(text) return pandoc.utils.blocks_to_inlines(pandoc.read(text, 'markdown').blocks) end

-- A picture alone in its paragraph is a figure if it has an id or a caption of its own, also when it is a link.
local function figure(para)
  local held = para.content[1]
  if #para.content ~= 1 then return nil end
  local image = held.t == 'Link' and #held.content == 1 and held.content[1] or held
  if image.t ~= 'Image' then return nil end
  local given = image.attributes['fig-cap']
  if not image.identifier:match '^fig%-' and not given then return nil end
  local caption = given and M.markdown(given) or image.caption
  local id = image.identifier
  image.identifier, image.attributes['fig-cap'], image.caption = '', nil, pandoc.Inlines {}
  if held.t == 'Link' then held.content = pandoc.Inlines { image } else held = image end
  return pandoc.Figure({ pandoc.Plain { held } }, { long = #caption > 0 and { pandoc.Plain(caption) } or {} }, pandoc.Attr(id))
end

-- `fig-cap` of a picture takes the place of what is in its brackets.
local function captioned(element)
  local image = #element.content == 1 and #element.content[1].content == 1 and element.content[1].content[1]
  local given = image and image.t == 'Image' and image.attributes['fig-cap']
  if not given then return nil end
  image.attributes['fig-cap'] = nil
  element.content[1].content[1] = image
  element.caption.long = pandoc.Blocks { pandoc.Plain(M.markdown(given)) }
  return element
end

-- The widths of a table's columns: [40, 60] per cent.
local function widths(element)
  local given = element.attributes['tbl-colwidths']
  if not given then return nil end
  local place = 0
  for width in given:gmatch '[%d.]+' do
    place = place + 1
    if element.colspecs[place] then element.colspecs[place][2] = tonumber(width) / 100 end
  end
  element.attributes['tbl-colwidths'] = nil
  return element
end

local function div(element)
  local made = list_table(element)
  if made then return widths(made) or made end
  local kind = element.classes:find_if(function(class) return class:match '^callout%-' end)
  if kind and element.attributes.title then
    -- As a heading its references and citations are resolved like those of the text.
    element.content:insert(1, pandoc.Header(6, M.markdown(element.attributes.title)))
    element.attributes.title = nil
    return element
  end
  if element.classes:includes 'columns' then
    element.classes = element.classes:map(function(class) return class == 'columns' and 'hb-columns' or class end)
    return element
  end
  for _, class in ipairs(PROOFS) do
    local first = element.content[1]
    if element.classes:includes(class) and first and (first.t == 'Para' or first.t == 'Header') then
      local name = element.attributes.name or (first.t == 'Header' and pandoc.utils.stringify(first.content))
      if first.t == 'Header' then element.content:remove(1) end
      local lead = pandoc.Inlines { pandoc.Emph(refs.words['environment-' .. class .. '-title'] .. (name and ' (' .. name .. ')' or '') .. '.'), pandoc.Space() }
      first = element.content[1]
      if first and first.t == 'Para' then
        first.content = lead .. first.content
        element.content[1] = first
      else
        element.content:insert(1, pandoc.Para(lead))
      end
      element.attributes.name = nil
      return element
    end
  end
end

-- A document with these shapes; `text` is what it was read from: to look at every paragraph costs more than reading it.
function M.give(doc, text)
  local given = text:find 'fig%-cap'
  local filter = {
    Para = (given or text:find '#fig%-') and figure or nil, Figure = given and captioned or nil,
    Div = (text:find ':::' or text:find '<div') and div or nil, Table = text:find 'tbl%-colwidths' and widths or nil,
  }
  return next(filter) and doc:walk(filter) or doc
end

return M
