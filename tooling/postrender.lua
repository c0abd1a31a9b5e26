-- Quarto runs this after it has rendered: the package puts the search and the list for programs into the site.

local output = os.getenv 'QUARTO_PROJECT_OUTPUT_DIR' or '_book'
local site = io.open(pandoc.path.join { output, 'index.html' })
if not site then return end -- only a PDF or an EPUB was made
site:close()
for _, program in ipairs { '.venv/bin/handbook', 'handbook' } do
  if pcall(pandoc.pipe, program, { 'search-index', output }, '') then return end
end
io.stderr:write 'handbook: the package labhandbook did not write the search index: run `.venv/bin/handbook search-index`\n'
os.exit(1)
