// Pictures: what a card gives, and what a pocket is known by. They stand before the
// words, and are drawn here: nothing is fetched.

const drawn: Record<string, string> = {
  // what a card gives
  cash: "M8 28h84v44H8ZM50 38a12 12 0 1 0 .01 0ZM18 38v.1M82 62v.1",
  health: "M38 12h24v26h26v24H62v26H38V62H12V38h26Z",
  food: "M14 50h72a36 34 0 0 1-72 0ZM34 40c-6-8 6-12 0-22M50 40c-6-8 6-12 0-22M66 40c-6-8 6-12 0-22",
  water: "M50 10c16 22 26 34 26 48a26 26 0 0 1-52 0c0-14 10-26 26-48ZM38 60a12 12 0 0 0 12 12",
  shelter: "M8 52 50 16l42 36M20 44v42h60V44M42 86V60h16v26",
  school: "M6 38 50 18l44 20-44 20ZM24 48v22c16 12 36 12 52 0V48M94 38v26",
  person: "M50 12a18 18 0 1 0 .01 0ZM16 88c4-42 64-42 68 0Z",
  plain: "M10 26h80v50H10ZM10 42h80M22 62h20",
  // pockets
  sun: "M50 30a20 20 0 1 0 .01 0ZM50 6v10M50 84v10M6 50h10M84 50h10M19 19l7 7M74 74l7 7M81 19l-7 7M26 74l-7 7",
  fish: "M10 50c20-30 46-30 64 0-18 30-44 30-64 0ZM74 50l18-18v36ZM30 46v.1",
  tree: "M50 94V54M50 10a26 24 0 0 0-20 40 24 18 0 0 0 40 0 26 24 0 0 0-20-40Z",
  bird: "M8 40c20-10 30 6 34 18 8-24 30-30 50-26-10 8-14 16-18 26-8 20-34 26-50 12-10-8-14-18-16-30Z",
  boat: "M8 66h84l-14 22H22ZM50 10v50M50 14c18 10 28 26 30 44H50",
  star: "M50 8l12 28 30 3-23 20 7 30-26-16-26 16 7-30L8 39l30-3Z",
  // acts
  plus: "M50 16v68M16 50h68",
  hide: "M10 50c20-32 60-32 80 0-20 32-60 32-80 0ZM50 38a12 12 0 1 0 .01 0ZM14 88 86 12",
  bin: "M18 26h64M38 26V12h24v14M26 26l6 62h36l6-62M42 42v32M58 42v32",
  door: "M58 12H16v76h42M40 50h50M72 32l18 18-18 18",
  ear: "M10 38h16l26-20v64L26 62H10ZM68 36c8 8 8 20 0 28M80 24c16 14 16 38 0 52",
  turn: "M20 40A34 34 0 0 1 80 34M82 14v22H60M80 60A34 34 0 0 1 20 66M18 86V64h22",
  link: "M42 58 58 42M46 32l12-12a20 20 0 0 1 28 28L74 60M54 68 42 80a20 20 0 0 1-28-28l12-12",
  file: "M22 8h38l20 20v64H22ZM60 8v20h20",
  scan: "M10 30V10h20M70 10h20v20M90 70v20H70M30 90H10V70M30 36h40v28H30Z",
  back_up: "M50 10v50M30 40l20 20 20-20M12 70v20h76V70",
  restore: "M50 60V10M30 30l20-20 20 20M12 70v20h76V70",
  phones: "M10 16h34v68H10ZM56 16h34v68H56ZM38 50h24M54 42l8 8-8 8",
  settings: "M12 26h46M78 26h10M68 16v20M12 50h10M42 50h46M32 40v20M12 74h46M78 74h10M68 64v20",
  people: "M32 20a14 14 0 1 0 .01 0ZM6 84c2-36 50-36 52 0M70 28a11 11 0 1 0 .01 0ZM66 54c16-4 26 8 28 30",
  finger: "M26 76c-8-34 2-56 24-56s32 20 28 50M36 86c-8-34-2-50 14-50s20 16 14 52M50 52c4 14 2 28-2 42",
  clock: "M50 6a44 44 0 1 0 .01 0ZM50 24v28l18 12",
  desk: "M6 46h88M14 46v42M86 46v42M50 10a11 11 0 1 0 .01 0ZM28 46c0-20 44-20 44 0",
  lock: "M24 44h52v46H24ZM34 44V30a16 16 0 0 1 32 0v14M50 62v12",
};

/** pockets are the pictures that a pocket may be known by. */
export const pocketPictures = ["sun", "fish", "tree", "bird", "boat", "star"];

/** picture draws one; words beside it say what it is. */
export function picture(name: string, size = "small"): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("class", `shape ${size}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("data-picture", name);
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", drawn[name] ?? drawn.plain);
  svg.appendChild(path);
  return svg as SVGElement;
}
