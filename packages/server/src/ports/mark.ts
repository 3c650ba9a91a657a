/** Where a store stands within an epoch: it only grows, and says nothing outside its epoch. */
export type Mark = bigint;
