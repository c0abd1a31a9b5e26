-- Puts fill-in.html at the end of each page. A book can also list that file under `include-after-body:`.
if quarto and quarto.doc.is_format 'html' then quarto.doc.include_file('after-body', 'fill-in.html') end
return {}
