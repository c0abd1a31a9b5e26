-- {{< talks >}}: the talks of the calendar that `handbook seminar feed` writes, newest first, with a link to subscribe.

local FEED = 'seminars/talks.ics'
local MONTHS = { 'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
  'November', 'December' }
local MEANT = { n = '\n', N = '\n' }

-- The talks of a calendar (RFC 5545): of each its properties by name, as text.
local function events(text)
  local found = pandoc.List {}
  -- A line that begins with a blank goes on with the one above.
  text = text:gsub('\r\n', '\n'):gsub('\n[ \t]', '')
  for event in text:gmatch '\nBEGIN:VEVENT(\n.-\n)END:VEVENT' do
    local talk = {}
    for name, value in event:gmatch '([%u-]+)[^\n:]*:([^\n]*)' do
      talk[name] = value:gsub('\\(.)', function(letter) return MEANT[letter] or letter end)
    end
    found:insert(talk)
  end
  found:sort(function(one, other) return (one.DTSTART or '') > (other.DTSTART or '') end)
  return found
end

-- Words in the direction of their own letters; addresses are links.
local function words(text)
  local found = pandoc.Inlines {}
  for word in text:gmatch '%S+' do
    if #found > 0 then found:insert(pandoc.Space()) end
    found:insert(word:match '^https://' and pandoc.Link(word, word) or pandoc.Str(word))
  end
  return pandoc.Span(found, pandoc.Attr('', {}, { dir = 'auto' }))
end

local function entry(talk)
  local year, month, day, from, from_minute = (talk.DTSTART or ''):match '(%d%d%d%d)(%d%d)(%d%d)T(%d%d)(%d%d)'
  if not year then return nil end
  local to, to_minute = (talk.DTEND or ''):match 'T(%d%d)(%d%d)'
  local when = ('%d %s %s, %s:%s'):format(tonumber(day), MONTHS[tonumber(month)] or month, year, from, from_minute)
    .. (to and ('–%s:%s'):format(to, to_minute) or '')
  -- freshness.html says of it that it is over, by the reader's day.
  local date = pandoc.Span(when, pandoc.Attr('', {}, { ['data-talk'] = ('%s-%s-%s'):format(year, month, day) }))
  local head = pandoc.Inlines { date, pandoc.Str '.', pandoc.Space(), words(talk.LOCATION or ''), pandoc.LineBreak() }
  if talk.STATUS == 'CANCELLED' then head:extend { pandoc.Strong 'Cancelled:', pandoc.Space() } end
  head:insert(pandoc.Strong { words(talk.SUMMARY or '') })
  local blocks = pandoc.Blocks { pandoc.Plain(head) }
  local about = pandoc.Blocks {}
  for paragraph in ((talk.DESCRIPTION or '') .. '\n\n'):gmatch '(.-)\n%s*\n' do
    if paragraph:match '%S' then about:insert(pandoc.Para { words(paragraph) }) end
  end
  if #about > 0 then
    blocks:insert(pandoc.RawBlock('html', '<details><summary>About the talk</summary>'))
    blocks:extend(about)
    blocks:insert(pandoc.RawBlock('html', '</details>'))
  end
  return blocks
end

return function(_, _, meta)
  if not (quarto and quarto.doc.is_format 'html:js' or meta['handbook-page']) then
    return pandoc.Blocks { pandoc.Para 'The site lists the talks.' }
  end
  local file = io.open(quarto and pandoc.path.join { quarto.project.directory, FEED } or FEED, 'rb')
  local text = file and file:read 'a' or ''
  if file then file:close() end
  local items = pandoc.List {}
  for _, talk in ipairs(events(text)) do items:insert(entry(talk)) end
  if #items == 0 then return pandoc.Blocks { pandoc.Para 'No talk is listed yet.' } end
  local subscribe = pandoc.Inlines 'Subscribe to ' .. { pandoc.Link('this calendar', '/' .. FEED) } .. pandoc.Inlines
    ': copy the address of the link into your calendar program, and it shows new talks by itself. Times are Helsinki time.'
  return pandoc.Blocks { pandoc.Para(subscribe), pandoc.Div({ pandoc.BulletList(items) }, pandoc.Attr('', { 'talks' })) }
end
