-- Read, modify, write: what many a service does, without a lock and without a version. For pgbench.
BEGIN;
SELECT balance AS seen FROM accounts WHERE id = 1 \gset
INSERT INTO transfers (account_id, amount) VALUES (1, 15);
UPDATE accounts SET balance = :seen + 15 WHERE id = 1;
COMMIT;
