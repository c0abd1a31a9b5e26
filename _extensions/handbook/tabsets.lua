-- What Quarto would lose in a PDF or EPUB, before its own work: it makes numbered sections of tabs, and Typst shows no
-- names over code.

-- A paragraph that a PDF keeps on the page of what follows.
local function kept(content)
  local para = pandoc.Para(content)
  if FORMAT ~= 'typst' then return { para } end
  return { pandoc.RawBlock('typst', '#block(sticky: true)['), para, pandoc.RawBlock('typst', ']') }
end

-- Print the tabs one below the other, each with its name; Quarto would number them as sections.
local function tabset(div)
  if not div.classes:includes 'panel-tabset' then return nil end
  local level = div.content[1] and div.content[1].level
  local printed = pandoc.Blocks {}
  for _, block in ipairs(div.content) do
    local name = block.t == 'Header' and block.level == level
    printed:extend(name and kept { pandoc.Strong(block.content) } or { block })
  end
  return printed
end

-- A line such as "List both files:" is not the last one of a page.
local function blocks(list)
  local printed = pandoc.Blocks {}
  for place, block in ipairs(list) do
    local after = list[place + 1]
    local leads = block.t == 'Para' and after and after.t ~= 'Para' and pandoc.utils.stringify(block):match ':$'
    printed:extend(leads and kept(block.content) or { block })
  end
  return printed
end

-- The name over code; the embedded engine writes it by itself.
local NAME = '#block(below: 3pt, sticky: true, text(size: 8.5pt, font: "DejaVu Sans Mono", "%s"))'
local function code(block)
  local name = block.attributes.filename
  if not quarto or not name then return nil end
  block.attributes.filename = nil
  return { pandoc.RawBlock('typst', NAME:format((name:gsub('[\\"]', '\\%0')))), block }
end

-- A page of a site needs none of this.
return { { Pandoc = function(doc)
  if FORMAT:match 'html' then return nil end
  doc = doc:walk { Div = tabset }
  return FORMAT == 'typst' and doc:walk({ Blocks = blocks }):walk { CodeBlock = code } or doc
end } }
