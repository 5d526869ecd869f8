INSERT INTO entries (payer, cents) VALUES (%(payer)s, 100) RETURNING id
