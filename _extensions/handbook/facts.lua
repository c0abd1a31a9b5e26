-- A YAML file of the book, read as Markdown; nil where there is none. A preview asks for the same ones at every edit, so
-- each is parsed once for its text.

local parsed = {}

return function(path)
  local file = io.open(quarto and pandoc.path.join { quarto.project.directory, path } or path)
  if not file then return nil end
  local text = file:read 'a'
  file:close()
  parsed[text] = parsed[text] or pandoc.read('---\n' .. text .. '\n---\n', 'markdown').meta
  return parsed[text]
end
