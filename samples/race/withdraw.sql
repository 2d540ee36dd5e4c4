-- The same with 20 less.
BEGIN;
SELECT balance AS seen FROM accounts WHERE id = 1 \gset
INSERT INTO transfers (account_id, amount) VALUES (1, -20);
UPDATE accounts SET balance = :seen - 20 WHERE id = 1;
COMMIT;
