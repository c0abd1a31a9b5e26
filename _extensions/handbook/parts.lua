-- A named part of a source file, for a code block: what the page shows is what runs.

local root = quarto and quarto.project.directory or '.'

local function lines(path)
  local file = io.open(pandoc.path.join { root, path }, 'r')
  if not file then error(path .. ' does not exist in the book', 0) end
  local found = pandoc.List {}
  for line in file:lines() do found:insert(line) end
  file:close()
  return found
end

local function indent(line) return #line:match '^%s*' end

-- Between the comments `# part: NAME` and `# end: NAME`.
local function marked(text, name)
  local first
  for number, line in ipairs(text) do
    local mark, of = line:match '^%s*# (%a+): (%S+)%s*$'
    if of == name and mark == 'part' then first = number + 1 end
    if of == name and mark == 'end' and first then return first, number - 1 end
  end
end

-- Whether a line goes on with what began at a depth: it is blank, indented deeper, or closes a bracket.
local function goes_on(line, depth)
  return line:match '^%s*$' or indent(line) > depth or line:match '^%s*[%)%]}]'
end

-- The line of the first decorator above a definition, or the definition's own.
local function decorated(text, number, depth)
  local first = number
  for above = number - 1, 1, -1 do
    if text[above]:match '^%s*@' and indent(text[above]) == depth then
      first = above
    elseif not goes_on(text[above], depth) then
      break
    end
  end
  return first
end

-- The lines of the function or class NAME with its decorators; `Class.method` is looked for inside the class.
local function defined(text, name, from, to)
  local outer, inner = name:match '^([^.]+)%.(.+)$'
  if outer then
    local first, last = defined(text, outer, from, to)
    if not first then return nil end
    return defined(text, inner, first, last)
  end
  for number = from, to do
    local line = text[number]
    local word = line:match '^%s*def ([%w_]+)' or line:match '^%s*async def ([%w_]+)' or line:match '^%s*class ([%w_]+)'
    if word == name then
      local last, depth = number, indent(line)
      for below = number + 1, to do
        if not goes_on(text[below], depth) then break end
        if not text[below]:match '^%s*$' then last = below end
      end
      return decorated(text, number, depth), last
    end
  end
end

-- The lines of the part, moved to the left margin.
local function part(path, name)
  local text = lines(path)
  local first, last = marked(text, name)
  if not first then first, last = defined(text, name, 1, #text) end
  if not first then error(('%s has no part, function or class named %s'):format(path, name), 0) end
  local depth = indent(text[first])
  local out = pandoc.List {}
  for number = first, last do out:insert((text[number]:gsub('^' .. (' '):rep(depth), ''))) end
  return table.concat(out, '\n')
end

return {
  -- {{< part /chapters/research/driving/src/mhi_driving/learner.py update >}}; the path starts at the book's root.
  part = function(args)
    return part(pandoc.utils.stringify(args[1]):gsub('^/', ''), pandoc.utils.stringify(args[2]))
  end,
}
