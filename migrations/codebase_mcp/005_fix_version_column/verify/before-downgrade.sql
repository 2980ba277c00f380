-- Data that a downgrade of revision 005 would lose.

-- check: V9.1 no value would be lost: two defaults and an index change, no table and no column
SELECT WHERE false;
