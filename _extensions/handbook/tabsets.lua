-- Tabsets in a PDF or EPUB, before Quarto's own work on them: it would make its tabs numbered sections.

-- Print the tabs one below the other, each with its name; Quarto would number them as sections.
local function tabset(div)
  if FORMAT:match 'html' or not div.classes:includes 'panel-tabset' then return nil end
  local level = div.content[1] and div.content[1].level
  return div.content:map(function(block)
    if block.t == 'Header' and block.level == level then return pandoc.Para { pandoc.Strong(block.content) } end
    return block
  end)
end

return { { Div = tabset } }
