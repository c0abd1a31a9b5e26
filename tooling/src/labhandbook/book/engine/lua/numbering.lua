-- Sections, figures, tables and equations of a chapter, numbered as Quarto numbers them.

local shapes = require 'shapes'
local stringify = pandoc.utils.stringify

-- A div with the id of a figure or a table is one; its last paragraph is the caption.
local function is_float(div)
  return (div.identifier:match '^fig%-' or div.identifier:match '^tbl%-') and not div.classes:includes 'hb-part'
end

local function float_div(div)
  local content, caption = div.content, pandoc.Blocks {}
  local last, given = content[#content], div.attributes['tbl-cap'] or div.attributes['fig-cap']
  if given then
    caption = pandoc.Blocks { pandoc.Plain(shapes.markdown(given)) }
    div.attributes['tbl-cap'], div.attributes['fig-cap'] = nil, nil
  elseif #content > 1 and last.t == 'Para' then
    caption = pandoc.Blocks { pandoc.Plain(last.content) }
    content:remove(#content)
  elseif #content == 1 and (last.t == 'Figure' or last.t == 'Table') and last.identifier == '' then
    caption, last.caption = last.caption.long, { long = {} }
    content = last.t == 'Figure' and last.content or content
  end
  return pandoc.Figure(content, { long = caption }, pandoc.Attr(div.identifier, div.classes, div.attributes))
end

-- Walk a chapter in reading order and number everything that can be referred to.
local Numbering = {}
Numbering.__index = Numbering

-- `equations`: some have ids. To look into every paragraph costs more than reading it.
function Numbering.new(number, equations)
  return setmetatable({ chapter = number, equations = equations, sections = {}, counts = { fig = 0, tbl = 0, eq = 0 },
                        tabsets = 0, labels = pandoc.List {}, ids = pandoc.List {} }, Numbering)
end

function Numbering:label(id, kind, number, title)
  self.labels:insert { id = id, kind = kind, number = number or '', title = title or '' }
end

function Numbering:count(kind)
  self.counts[kind] = self.counts[kind] + 1
  local own = tostring(self.counts[kind])
  return self.chapter and (self.chapter .. '.' .. own) or own
end

function Numbering:header(header)
  if header.level == 1 then return header end
  local number
  if self.chapter and not header.classes:includes 'unnumbered' then
    local depth = header.level - 1
    for level = 1, depth do self.sections[level] = self.sections[level] or 0 end
    self.sections[depth] = self.sections[depth] + 1
    for level = depth + 1, #self.sections do self.sections[level] = nil end
    number = self.chapter .. '.' .. table.concat(self.sections, '.', 1, depth)
    header.attributes['number'] = number
  end
  self:label(header.identifier, 'sec', number, stringify(header.content))
  return header
end

-- The id and the classes after a formula: `{#eq-x .wide}`; what follows the brace; and the place behind it.
local function label_after(inlines, place)
  while inlines[place] and (inlines[place].t == 'Space' or inlines[place].t == 'SoftBreak') do place = place + 1 end
  local text = ''
  if not inlines[place] or inlines[place].t ~= 'Str' or not inlines[place].text:match '^{#eq%-' then return nil end
  while inlines[place] and (inlines[place].t == 'Str' or inlines[place].t == 'Space') do
    text = text .. (inlines[place].text or ' ')
    place = place + 1
    local id, more, rest = text:match '^{#(eq%-[^%s}]+)([^}]*)}(.*)$'
    if id then
      local classes = pandoc.List { 'equation' }
      for class in more:gmatch '%.([^%s.]+)' do classes:insert(class) end
      return id, classes, rest, place
    end
  end
end

function Numbering:equation(para)
  local inlines, out, place = para.content, pandoc.Inlines {}, 1
  while place <= #inlines do
    local inline = inlines[place]
    local id, classes, rest, after
    if inline.t == 'Math' and inline.mathtype == 'DisplayMath' then id, classes, rest, after = label_after(inlines, place + 1) end
    if id then
      local number = self:count 'eq'
      self:label(id, 'eq', number)
      out:insert(pandoc.Span({ inline }, pandoc.Attr(id, classes, { number = number })))
      if rest ~= '' then out:insert(pandoc.Str(rest)) end
      place = after
    else
      out:insert(inline)
      place = place + 1
    end
  end
  para.content = out
  return para
end

-- The parts of a figure or a table get letters in reading order, those in its tabs and columns too.
function Numbering:parts(blocks, kind, number, letters)
  for index, part in ipairs(blocks) do
    local own = part.identifier and part.identifier:match('^' .. kind .. '%-')
    local cell = own and part.t == 'Div' and part.classes:includes 'hb-part' and tonumber(part.identifier:match '%d+$')
    if own and part.t == 'Div' and not cell then part = float_div(part) end
    if cell or own and part.t == 'Figure' then
      letters.count = letters.count + 1
      local letter = '(' .. string.char(96 + (cell or letters.count)) .. ')'
      self:label(part.identifier, kind, number .. ' ' .. letter, not cell and stringify(part.caption.long) or '')
      if not cell then part.caption.long:insert(1, pandoc.Plain { pandoc.Str(letter) }) end
    elseif part.t == 'Div' then
      part.content = self:parts(part.content, kind, number, letters)
      if part.classes:includes 'panel-tabset' then self:tabset(part) end
    end
    blocks[index] = part
  end
  return blocks
end

function Numbering:tabset(div)
  self.tabsets = self.tabsets + 1
  div.attributes['tabset'] = tostring(self.tabsets)
end

function Numbering:float(element, kind)
  local id = element.identifier
  if id:match('^' .. kind .. '%-') then
    local number = self:count(kind)
    self:label(id, kind, number, stringify(element.caption.long))
    element.attributes['number'] = number
    if element.t ~= 'Table' then element.content = self:parts(element.content, kind, number, { count = 0 }) end
  end
  return element
end

-- `titled`: "tabset" if the headings of the first one's level are the names of tabs, "callout" if the first heading
-- is a callout's title. They are no sections.
function Numbering:visit(blocks, titled)
  local heading = titled and blocks:find_if(function(block) return block.t == 'Header' end)
  local first = heading and (titled == 'tabset' or blocks[1] == heading) and heading.level
  for index, block in ipairs(blocks) do
    if block.t == 'Header' then
      local title = block.level == first and (titled == 'tabset' or index == 1)
      if not title then blocks[index] = self:header(block) end
    elseif (block.t == 'Para' or block.t == 'Plain') and self.equations and block.content:find_if(function(inline) return inline.t == 'Math' end) then
      blocks[index] = self:equation(block)
    elseif block.t == 'Figure' then
      blocks[index] = self:float(block, block.identifier:match '^tbl%-' and 'tbl' or 'fig')
    elseif block.t == 'Table' then
      blocks[index] = self:float(block, 'tbl')
    elseif block.t == 'Div' and is_float(block) then
      blocks[index] = self:float(float_div(block), block.identifier:match '^tbl%-' and 'tbl' or 'fig')
    elseif block.t == 'Div' then
      local titles = block.classes:includes 'panel-tabset' and 'tabset'
        or block.classes:find_if(function(class) return class:match '^callout%-' end) and 'callout'
      block.content = self:visit(block.content, titles)
      -- As in Quarto, a tabset in another one is counted before it.
      if titles == 'tabset' then self:tabset(block) end
      blocks[index] = block
    elseif block.t == 'BlockQuote' then
      block.content = self:visit(block.content)
      blocks[index] = block
    elseif block.t == 'DefinitionList' then
      for place, item in ipairs(block.content) do
        for number, definition in ipairs(item[2]) do item[2][number] = self:visit(definition) end
        block.content[place] = item
      end
      blocks[index] = block
    elseif block.t == 'BulletList' or block.t == 'OrderedList' then
      for place, item in ipairs(block.content) do block.content[place] = self:visit(item) end
      blocks[index] = block
    end
  end
  return blocks
end

return Numbering
