-- The old system: a balance in a column, and a list of transfers beside it.
CREATE TABLE accounts (
    id        integer PRIMARY KEY,
    status    text NOT NULL DEFAULT 'open',
    balance   numeric(12,2) NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE transfers (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer NOT NULL REFERENCES accounts,
    amount     numeric(12,2) NOT NULL
);
ALTER TABLE accounts REPLICA IDENTITY FULL;
INSERT INTO accounts (id, balance) VALUES (1, 1000.00);
