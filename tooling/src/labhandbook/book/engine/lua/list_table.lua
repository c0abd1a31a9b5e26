-- A table written as a list of lists (`.list-table`), as Quarto's filter of the same name makes it from pandoc-ext's.

local ALIGNMENTS = { d = 'AlignDefault', l = 'AlignLeft', r = 'AlignRight', c = 'AlignCenter' }

-- The attributes of a row or a cell: those of an empty span in front, which is taken out.
local function attributes(blocks)
  local content = blocks[1] and blocks[1].content
  local first = pandoc.utils.type(content) == 'Inlines' and content[1]
  if not first or first.t ~= 'Span' or #first.content > 0 then return pandoc.Attr() end
  content:remove(1)
  blocks[1].content = content
  return first.attr
end

local function cell(blocks)
  local attr = attributes(blocks)
  local function take(name)
    local value = attr.attributes[name]
    attr.attributes[name] = nil
    return value
  end
  local columns, rows = tonumber(take 'colspan' or 1), tonumber(take 'rowspan' or 1)
  return pandoc.Cell(blocks, ALIGNMENTS[take 'align'] or 'AlignDefault', rows, columns, attr)
end

-- The rows of one item of the list, and the attributes of the body that they begin, if they begin one.
local function rows_of(item)
  local attr = #item > 1 and attributes(item)
  if attr then item:remove(1) end
  local held = item[1]
  if #item ~= 1 then return nil end
  if held.t == 'Table' and #held.bodies == 1 then return held.bodies[1].body, held.attr end
  if held.t ~= 'BulletList' then return nil end
  return { pandoc.Row(held.content:map(cell), attr or pandoc.Attr()) }
end

-- The caption without `{#tbl-x tbl-colwidths=[20,80]}` behind it, and what is in the braces.
local function caption_of(para)
  local words = para.content
  local _, place = words:find_if(function(inline) return inline.t == 'Str' and inline.text:match '^{' end)
  if not place or not words[#words].text or not words[#words].text:match '}$' then return words, pandoc.Attr() end
  local braces = pandoc.utils.stringify(pandoc.Inlines { table.unpack(words, place) }):gsub('[“”]', '"')
  local heading = pandoc.read('# ' .. braces, 'markdown-auto_identifiers').blocks[1]
  if words[place - 1] and words[place - 1].t == 'Space' then place = place - 1 end
  return pandoc.Inlines { table.unpack(words, 1, place - 1) }, heading.attr
end

local function colspecs(given, count)
  local widths, total, specs = pandoc.List {}, 0, pandoc.List {}
  for width in (given.widths or ''):gmatch '[^,]+' do
    widths:insert(tonumber(width) or 0)
    total = total + widths[#widths]
  end
  local aligns = pandoc.List {}
  for align in (given.aligns or ''):gmatch '[^,]+' do aligns:insert(ALIGNMENTS[align]) end
  for place = 1, count do specs:insert { aligns[place] or 'AlignDefault', widths[place] and widths[place] / total } end
  given.widths, given.aligns = nil, nil
  return specs
end

-- The div as a table; nil if it is none, or no list of lists: that is refused by its name.
return function(div)
  local whole = div.classes:includes 'list-table'
  if not whole and not div.classes:includes 'list-table-body' then return nil end
  local caption, more = nil, pandoc.Attr()
  local content = div.content:filter(function(block)
    if block.t == 'Para' then caption, more = caption_of(block) end
    return block.t ~= 'Para'
  end)
  if #content ~= 1 or content[1].t ~= 'BulletList' then return nil end
  local bodies = pandoc.List { { attr = pandoc.Attr(), rows = pandoc.List {} } }
  for _, item in ipairs(content[1].content) do
    local rows, attr = rows_of(item)
    if not rows then return nil end
    if attr and #bodies[#bodies].rows > 0 then bodies:insert { rows = pandoc.List {} } end
    if attr then bodies[#bodies].attr = attr end
    bodies[#bodies].rows:extend(rows)
  end
  local given, first, head, columns = div.attributes, bodies[1].rows, pandoc.List {}, 0
  for _, each in ipairs(first[1] and first[1].cells or {}) do columns = columns + each.col_span end
  local specs = colspecs(given, columns)
  for _ = 1, math.min(#first, tonumber(given['header-rows']) or whole and 1 or 0) do head:insert(first:remove(1)) end
  local side = tonumber(given['header-cols']) or 0
  given['header-rows'], given['header-cols'] = nil, nil
  for name, value in pairs(more.attributes) do given[name] = value end
  bodies = bodies:filter(function(body) return #body.rows > 0 end):map(function(body, place)
    return { attr = body.attr, body = body.rows, head = {}, row_head_columns = place == 1 and side or 0 }
  end)
  local id = more.identifier ~= '' and more.identifier:match '^tbl%-' and more.identifier or div.identifier
  local classes = div.classes:filter(function(class) return not class:match '^list%-table' end)
  return pandoc.Table({ long = caption and { pandoc.Plain(caption) } or {} }, specs, pandoc.TableHead(head), bodies,
    pandoc.TableFoot(), pandoc.Attr(id, classes, given))
end
