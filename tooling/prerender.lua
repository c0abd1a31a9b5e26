-- Quarto runs this before it renders. It lets the package write _variables.yml, which {{< var >}} reads in the
-- chapters: there is one reader of the facts files.

for _, program in ipairs { '.venv/bin/handbook', 'handbook' } do
  if pcall(pandoc.pipe, program, { 'facts', '--write' }, '') then return end
end
io.stderr:write 'handbook: the package labhandbook did not write _variables.yml: it is not installed, or a facts file\n'
io.stderr:write '          has a mistake. Run `make`, then `.venv/bin/handbook facts`, which names the mistake.\n'
os.exit(1)
