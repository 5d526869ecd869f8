SELECT id, payer, cents FROM entries WHERE id = %(id)s
