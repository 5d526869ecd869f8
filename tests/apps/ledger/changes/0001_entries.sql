CREATE TABLE entries (id bigserial PRIMARY KEY, payer text NOT NULL, cents int NOT NULL);
INSERT INTO entries (payer, cents) SELECT 'p' || i, i FROM generate_series(1, 2000) i;
