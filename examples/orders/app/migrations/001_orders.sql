CREATE TABLE orders (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference   text NOT NULL UNIQUE,
    customer    text NOT NULL,
    email       text NOT NULL,
    article     text NOT NULL,
    quantity    integer NOT NULL CHECK (quantity > 0),
    price_cents integer NOT NULL CHECK (price_cents >= 0),
    note        text NOT NULL DEFAULT '',
    created     timestamptz NOT NULL DEFAULT now(),
    shipped     timestamptz
);

CREATE INDEX orders_created ON orders (created DESC);

CREATE TABLE attachments (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders (id),
    name     text NOT NULL,
    file     text NOT NULL UNIQUE,
    size     bigint NOT NULL,
    added    timestamptz NOT NULL DEFAULT now()
);

-- Confirmations wait here until the worker takes them.
CREATE TABLE mails (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders (id),
    subject  text NOT NULL,
    queued   timestamptz NOT NULL DEFAULT now(),
    sent     timestamptz
);

CREATE INDEX mails_waiting ON mails (id) WHERE sent IS NULL;

-- What the worker wrote; the mail gateway fetches it. UNIQUE: no mail goes out twice.
CREATE TABLE outbox (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail_id   bigint NOT NULL UNIQUE REFERENCES mails (id),
    recipient text NOT NULL,
    subject   text NOT NULL,
    body      text NOT NULL,
    written   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE exports (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file     text NOT NULL,
    release  text NOT NULL,
    started  timestamptz NOT NULL DEFAULT now(),
    finished timestamptz,
    outcome  text,
    rows     integer
);
