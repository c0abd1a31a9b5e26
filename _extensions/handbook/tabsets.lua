-- What Quarto would lose in a PDF or EPUB, before its own work: it makes numbered sections of tabs, and Typst shows no
-- names over code.

-- Print the tabs one below the other, each with its name; Quarto would number them as sections.
local function tabset(div)
  if FORMAT:match 'html' or not div.classes:includes 'panel-tabset' then return nil end
  local level = div.content[1] and div.content[1].level
  return div.content:map(function(block)
    if block.t == 'Header' and block.level == level then return pandoc.Para { pandoc.Strong(block.content) } end
    return block
  end)
end

-- The name over code; the embedded engine writes it by itself.
local NAME = '#block(below: 3pt, sticky: true, text(size: 8.5pt, font: "DejaVu Sans Mono", "%s"))'
local function code(block)
  local name = block.attributes.filename
  if not quarto or FORMAT ~= 'typst' or not name then return nil end
  block.attributes.filename = nil
  return { pandoc.RawBlock('typst', NAME:format((name:gsub('[\\"]', '\\%0')))), block }
end

return { { Div = tabset, CodeBlock = code } }
