-- {{< agreement hours >}}: a question of agreements.yml with the group's answer, or whom to ask while there is none.

local facts = require 'facts'
local DATA = 'chapters/together/agreements.yml'
local stringify = pandoc.utils.stringify

return function(args)
  local name = stringify(args[1] or '')
  local one = assert(facts(DATA), DATA .. ' is not there')[name]
  if type(one) ~= 'table' or not one.question then error(('%s is not a question of %s'):format(name, DATA), 0) end
  local open = stringify(one.answer) == ''
  local answer = open and pandoc.Blocks { pandoc.Para('Not settled yet: ask ' .. stringify(one.ask) .. '.') }
    or pandoc.utils.type(one.answer) == 'Blocks' and one.answer or pandoc.Blocks { pandoc.Para(one.answer) }
  local shown = pandoc.Blocks { pandoc.Para(pandoc.Strong(one.question)) }
  shown:extend(answer)
  return pandoc.Blocks { pandoc.Div(shown, pandoc.Attr('', { 'agreement', open and 'open' or 'settled' })) }
end
