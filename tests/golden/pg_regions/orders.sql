CREATE SCHEMA shop;
CREATE TYPE shop.shipment_status AS ENUM ('input', 'picked', 'shipped', 'delivered');
CREATE TABLE shop.orders (order_id bigint PRIMARY KEY, payment_status smallint, shipment_status shop.shipment_status,
    created_at timestamptz NOT NULL, authorized_at timestamptz, captured_at timestamptz, picked_at timestamptz, shipped_at timestamptz,
    retries int NOT NULL DEFAULT 0, test bool NOT NULL DEFAULT false);
INSERT INTO shop.orders VALUES
    (1, 1, 'input',     '2024-01-01 09:00Z', NULL, NULL, NULL, NULL, 0),
    (2, 2, 'input',     '2024-01-01 09:00Z', '2024-01-01 10:00Z', NULL, NULL, NULL, 0),
    (3, 3, 'delivered', '2024-01-01 09:00Z', '2024-01-01 10:00Z', '2024-01-04 08:00Z', '2024-01-02 08:00Z', '2024-01-03 08:00Z', 0),
    (4, 3, 'shipped',   '2024-01-01 09:00Z', '2024-01-01 10:00Z', '2024-01-04 08:00Z', NULL, '2024-01-03 08:00Z', 1),
    (5, 3, 'picked',    '2024-01-01 09:00Z', '2024-01-01 10:00Z', '2024-01-02 09:00Z', '2024-01-02 08:00Z', NULL, 0),
    (6, 7, 'input',     '2024-01-01 09:00Z', NULL, NULL, NULL, NULL, 0),
    (7, 1, NULL,        '2024-01-01 09:00Z', NULL, NULL, NULL, NULL, 0),
    (8, 3, 'shipped',   '2024-01-01 09:00Z', '2024-01-01 10:00Z', '2024-01-02 09:00Z', NULL, '2024-01-03 08:00Z', 0);
INSERT INTO shop.orders VALUES (9, 1, 'shipped', '2024-01-01 09:00Z', NULL, NULL, NULL, NULL, 0, true);
