// What a phone keeps over a restart: what it last saw, and what its person did that the server does not know yet.
const NAME = "taishi";
const STORES = ["seen", "outbox"];

let opened = null;
function database() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => STORES.forEach((name) => asked.result.createObjectStore(name));
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

// Resolves when it is on the disk, not when it was asked for.
async function through(store, mode, work) {
  const transaction = (await database()).transaction(store, mode, { durability: "strict" });
  const asked = work(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(asked?.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

export const keep = (name, value) => through("seen", "readwrite", (seen) => seen.put(value, name));
export const kept = (name) => through("seen", "readonly", (seen) => seen.get(name));
export const forget = () => through("seen", "readwrite", (seen) => seen.clear());

export const outbox = {
  put: (item) => through("outbox", "readwrite", (box) => box.put(item, item.id)),
  drop: (id) => through("outbox", "readwrite", (box) => box.delete(id)),
  all: () => through("outbox", "readonly", (box) => box.getAll()),
};
