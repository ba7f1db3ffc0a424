"use strict";
// The page of the explorer. All questions go to the server that it came from.

const get = (id) => document.getElementById(id);
const FEW = 12; // sliders shown at first
const PAD = 280; // pixels of the drawing pad's longer side
let told; // what the server says of the model
let z = []; // one number for each latent dimension
let codes = null, codesOfPicture = null, mark = [0, 0]; // grids of codes, and [row, column]
let picture = null; // the bytes last sent to be encoded
const ends = {first: null, second: null};

function say(text) {
  get("message").textContent = text;
  get("message").hidden = !text;
}

async function ask(question, entries) {
  let answer, content;
  try {
    answer = await fetch(question, {method: "POST", body: JSON.stringify(entries ?? {})});
    content = await answer.json();
  } catch {
    throw new Error("The model does not answer. Is `keras-vae explore` still running?");
  }
  if (!answer.ok) throw new Error(content.error);
  return content;
}

// Returns a function that runs `work` for its latest call only, one at a time: a slider moves
// faster than a model decodes.
function latest(work) {
  let busy = false, next = null;
  return async function run(...given) {
    if (busy) { next = given; return; }
    busy = true;
    try { await work(...given); say(""); } catch (error) { say(error.message); }
    busy = false;
    if (next) { const [...again] = next; next = null; run(...again); }
  };
}

const label = () => {
  const value = get("class").value;
  return told.classes && value !== "" ? Number(value) : null;
};

function show(canvas, bytes) {
  const {width, height, channels} = told;
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d"), data = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data.data[4 * i + c] = bytes[channels * i + Math.min(c, channels - 1)];
    data.data[4 * i + 3] = 255;
  }
  context.putImageData(data, 0, 0);
}

// The bytes of what is on a canvas or in a picture, at the model's size.
function bytesOf(source, invert = false, place = [0, 0, told.width, told.height]) {
  const {width, height, channels} = told, canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.fillStyle = invert ? "#fff" : "#000";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, ...place);
  const {data} = context.getImageData(0, 0, width, height), bytes = [];
  for (let i = 0; i < width * height; i++) {
    const rgb = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    if (channels === 1) bytes.push(Math.round(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]));
    else bytes.push(...rgb);
  }
  return invert ? bytes.map((value) => 255 - value) : bytes;
}

async function bytesOfFile(file) {
  let image;
  try {
    image = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name} is no picture that this browser can read. Take a PNG or JPEG.`);
  }
  // The middle of the picture, so that nothing is stretched.
  const scale = Math.max(told.width / image.width, told.height / image.height);
  const [w, h] = [image.width * scale, image.height * scale];
  const place = [(told.width - w) / 2, (told.height - h) / 2, w, h];
  return bytesOf(image, get("invert").checked, place);
}

// The picture of yours.

const encode = latest(async () => {
  if (!picture) return;
  const found = await ask("encode", {picture, label: label()});
  show(get("seen"), found.seen);
  show(get("again"), found.reconstruction);
  get("nats").textContent = natsIn(found);
  if (found.mean) {
    z = found.mean.slice();
    found.mean.forEach((mean, j) => {
      const row = get(`z${j}`);
      row.q.textContent = `${row.kl}q(z|x): ${mean.toFixed(2)} ± ${found.std[j].toFixed(2)}`;
    });
    showSliders();
    show(get("decoded"), found.reconstruction);
  }
  if (found.codes) {
    codes = found.codes;
    codesOfPicture = structuredClone(codes);
    drawCodes();
    show(get("decoded"), found.reconstruction);
  }
});

function natsIn({nats, nats_are}) {
  if (nats === null) return "This model has no likelihood.";
  const what = {exact: "log p(x)", estimate: "log p(x), estimated,", bound: "A bound of log p(x)"};
  return `${what[nats_are]} is ${nats.toFixed(1)} nats.`;
}

function preparePad() {
  const pad = get("pad"), longest = Math.max(told.width, told.height);
  [pad.width, pad.height] = [PAD * told.width / longest, PAD * told.height / longest];
  const context = pad.getContext("2d");
  const clear = () => { context.fillStyle = "#000"; context.fillRect(0, 0, pad.width, pad.height); };
  clear();
  let last = null, isDrawn = false;
  const at = (event) => {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) * pad.width / box.width, (event.clientY - box.top) * pad.height / box.height];
  };
  const line = (to) => {
    Object.assign(context, {strokeStyle: "#fff", lineWidth: PAD / 13, lineCap: "round", lineJoin: "round"});
    context.beginPath();
    context.moveTo(...last);
    context.lineTo(...to);
    context.stroke();
    last = to;
  };
  pad.onpointerdown = (event) => {
    if (!isDrawn) clear();
    isDrawn = true;
    pad.setPointerCapture(event.pointerId);
    last = at(event);
    line([last[0] + 0.1, last[1]]);
  };
  pad.onpointermove = (event) => { if (last) line(at(event)); };
  pad.onpointerup = pad.onpointercancel = () => { last = null; sendDrawing(); };
  const sendDrawing = () => {
    picture = bytesOf(pad, get("invert").checked, get("fit").checked ? centred(pad) : undefined);
    encode();
  };
  const take = (bytes) => {
    isDrawn = false;
    picture = bytes;
    const small = document.createElement("canvas");
    show(small, bytes);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, pad.width, pad.height);
    encode();
  };
  get("clear").onclick = () => {
    clear();
    [isDrawn, picture] = [false, null];
    get("nats").textContent = "Draw something.";
  };
  get("invert").onchange = get("fit").onchange = () => {
    if (isDrawn) sendDrawing();
    else if (get("upload").files.length) upload();
  };
  let number = 0;
  get("example").onclick = () => ask("example", {number: number++}).then((found) => {
    if (found.label !== null && told.classes) get("class").value = String(found.label);
    take(found.picture);
  }).catch((error) => say(error.message));
  const upload = async () => {
    const file = get("upload").files[0];
    if (!file) return;
    try { take(await bytesOfFile(file)); } catch (error) { say(error.message); }
  };
  get("upload").onchange = upload;
  const isDigitLike = told.channels === 1 && told.width === 28 && told.height === 28;
  get("fit").checked = isDigitLike;
  get("fit-box").hidden = !isDigitLike;
}

// Where the drawing is put so that it fills 20 of 28 pixels, its centre of mass in the middle.
function centred(pad) {
  const {width, height} = pad, {data} = pad.getContext("2d").getImageData(0, 0, width, height);
  let [left, right, top, bottom, x, y, mass] = [width, 0, height, 0, 0, 0, 0];
  for (let i = 0; i < width * height; i++) {
    const ink = data[4 * i], [column, row] = [i % width, Math.floor(i / width)];
    if (!ink) continue;
    [left, right] = [Math.min(left, column), Math.max(right, column)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [x, y, mass] = [x + ink * column, y + ink * row, mass + ink];
  }
  if (!mass) return [0, 0, told.width, told.height];
  const scale = 20 / (Math.max(right - left, bottom - top) + 1);
  return [told.width / 2 - scale * x / mass, told.height / 2 - scale * y / mass, scale * width, scale * height];
}

// Sliders and the map.

const decode = latest(async () => {
  show(get("decoded"), (await ask("decode", {z, label: label()})).picture);
});

function move(dimension, value) {
  z[dimension] = value;
  showSliders();
  decode();
}

function prepareSliders() {
  get("sliders-box").hidden = get("map-box").hidden = false;
  get("sliders-hint").textContent = told.kl_is_known
    ? "The dimensions of most KL come first: they tell most of a picture. KL is the mean over examples."
    : "The dimensions whose codes spread most come first.";
  get("map-hint").textContent = `Dots: ${told.has_data ? "examples" : "samples of the model"}. Click, drag, or use the arrow keys.`;
  z = new Array(told.sliders.length).fill(0);
  told.sliders.forEach(({dimension, kl, low, high, start}, place) => {
    z[dimension] = start;
    const row = document.createElement("div"), name = document.createElement("label");
    const input = document.createElement("input"), output = document.createElement("output");
    row.className = "slider";
    row.hidden = place >= FEW;
    row.id = `z${dimension}`;
    row.q = document.createElement("small");
    name.textContent = `z[${dimension}]`;
    name.htmlFor = `slider${dimension}`;
    Object.assign(input, {type: "range", id: name.htmlFor, min: low, max: high, step: (high - low) / 200});
    input.oninput = () => move(dimension, Number(input.value));
    row.kl = kl === null ? "" : `KL ${kl.toFixed(2)} nats. `;
    row.q.textContent = row.kl;
    row.append(name, input, output, row.q);
    get("sliders").append(row);
    for (const id of ["map-x", "map-y"]) get(id).add(new Option(`z[${dimension}]`, dimension));
  });
  get("more").hidden = told.sliders.length <= FEW;
  get("more").onclick = () => {
    for (const row of get("sliders").children) row.hidden = false;
    get("more").hidden = true;
  };
  if (told.sliders.length < 2) get("map-box").hidden = true;
  else get("map-y").selectedIndex = 1;
  get("map-x").onchange = get("map-y").onchange = drawMap;
  prepareMap();
  showSliders();
  decode();
}

function showSliders() {
  for (const {dimension} of told.sliders) {
    const [, input, output] = get(`z${dimension}`).children;
    input.value = z[dimension];
    output.textContent = z[dimension].toFixed(2);
  }
  drawMap();
}

const axis = (id) => told.sliders.find(({dimension}) => dimension === Number(get(id).value));

function drawMap() {
  if (told.sliders.length < 2) return;
  const map = get("map"), side = map.width = map.height = 560, context = map.getContext("2d");
  const [across, up] = [axis("map-x"), axis("map-y")];
  const x = (value) => side * (value - across.low) / (across.high - across.low);
  const y = (value) => side * (1 - (value - up.low) / (up.high - up.low));
  told.dots.forEach((dot, i) => {
    const of = told.dot_labels && new Set(told.dot_labels).size <= 20 ? told.dot_labels[i] : null;
    context.fillStyle = of === null ? "#888" : `hsl(${(of * 137.5) % 360} 60% 50%)`;
    context.beginPath();
    context.arc(x(dot[across.dimension]), y(dot[up.dimension]), 5, 0, 7);
    context.fill();
  });
  context.beginPath();
  context.arc(x(z[across.dimension]), y(z[up.dimension]), 14, 0, 7);
  Object.assign(context, {strokeStyle: "#fff", lineWidth: 10});
  context.stroke();
  Object.assign(context, {strokeStyle: "#d00", lineWidth: 5});
  context.stroke();
}

function prepareMap() {
  const map = get("map");
  const go = (x, y) => {
    const [across, up] = [axis("map-x"), axis("map-y")];
    const inside = (value, {low, high}) => Math.min(high, Math.max(low, value));
    z[across.dimension] = inside(x, across);
    z[up.dimension] = inside(y, up);
    showSliders();
    decode();
  };
  const to = (event) => {
    const box = map.getBoundingClientRect(), [across, up] = [axis("map-x"), axis("map-y")];
    go(across.low + (across.high - across.low) * (event.clientX - box.left) / box.width,
      up.high - (up.high - up.low) * (event.clientY - box.top) / box.height);
  };
  map.onpointerdown = (event) => { map.setPointerCapture(event.pointerId); to(event); };
  map.onpointermove = (event) => { if (event.buttons) to(event); };
  map.onkeydown = (event) => {
    const ways = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
    if (!(event.key in ways)) return;
    event.preventDefault();
    const [across, up] = [axis("map-x"), axis("map-y")], part = event.shiftKey ? 200 : 30;
    const [right, above] = ways[event.key];
    go(z[across.dimension] + right * (across.high - across.low) / part,
      z[up.dimension] + above * (up.high - up.low) / part);
  };
}

// Codes. A level of codes (height, width, depth...) is shown as `depth` grids.

const decodeCodes = latest(async () => {
  const {picture: bytes} = await ask("decode_codes", {codes, label: label()});
  show(get("decoded"), bytes);
});

let grids = [];

function prepareCodes() {
  get("codes-box").hidden = false;
  told.grids.forEach(({shape, num_embeddings}, level) => {
    const [height, width] = shape.length > 1 ? shape : [1, shape[0]];
    const depth = shape.slice(2).reduce((a, b) => a * b, 1);
    for (let layer = 0; layer < depth; layer++) {
      grids.push({level, shape, height, width, layer, num_embeddings});
      const name = told.grids.length > 1 ? `level ${level + 1}` : "codes";
      get("grid").add(new Option(depth > 1 ? `${name}, layer ${layer + 1}` : name, grids.length - 1));
    }
  });
  get("grid-box").hidden = grids.length < 2;
  get("grid").onchange = () => { mark = [0, 0]; drawCodes(); };
  const canvas = get("codes"), code = get("code"), grid = () => grids[get("grid").value];
  const put = (value) => {
    if (!codes || !Number.isInteger(value)) return;
    setCode(grid(), mark, Math.min(grid().num_embeddings - 1, Math.max(0, value)));
    drawCodes();
    decodeCodes();
  };
  code.onchange = () => put(Number(code.value));
  const to = (event) => {
    const box = canvas.getBoundingClientRect(), {height, width} = grid();
    const within = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    mark = [within((event.clientY - box.top) / box.height, height), within((event.clientX - box.left) / box.width, width)];
    if (get("paint").checked) put(Number(code.value));
    else drawCodes();
  };
  canvas.onpointerdown = (event) => { canvas.setPointerCapture(event.pointerId); to(event); };
  canvas.onpointermove = (event) => { if (event.buttons) to(event); };
  canvas.onkeydown = (event) => {
    const ways = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};
    const steps = {"+": 1, "=": 1, "-": -1};
    if (!codes || !(event.key in ways || event.key in steps)) return;
    event.preventDefault();
    if (event.key in steps) { put(codeAt(grid(), mark) + steps[event.key]); return; }
    const [down, right] = ways[event.key], {height, width} = grid();
    mark = [(mark[0] + down + height) % height, (mark[1] + right + width) % width];
    drawCodes();
  };
  get("undo").onclick = () => {
    if (!codesOfPicture) return;
    codes = structuredClone(codesOfPicture);
    drawCodes();
    decodeCodes();
  };
}

// The innermost list that holds a code, and its place in it.
function holder({level, shape, layer}, [row, column]) {
  let list = codes[level], places = shape.length > 1 ? [row, column] : [column];
  let rest = layer;
  for (const size of shape.slice(2).reverse()) { places.splice(2, 0, rest % size); rest = Math.floor(rest / size); }
  for (const place of places.slice(0, -1)) list = list[place];
  return [list, places.at(-1)];
}

const codeAt = (grid, at) => { const [list, place] = holder(grid, at); return list[place]; };
const setCode = (grid, at, value) => { const [list, place] = holder(grid, at); list[place] = value; };

function drawCodes() {
  const grid = grids[get("grid").value], {height, width, num_embeddings} = grid;
  const canvas = get("codes"), cell = Math.max(8, Math.floor(560 / Math.max(height, width)));
  [canvas.width, canvas.height] = [cell * width, cell * height];
  const context = canvas.getContext("2d");
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const code = codeAt(grid, [row, column]);
      const lightness = 35 + 35 * ((code * 0.618) % 1);
      context.fillStyle = `hsl(${(code * 137.5) % 360} 55% ${lightness}%)`;
      context.fillRect(cell * column, cell * row, cell, cell);
      if (cell < 40) continue;
      Object.assign(context, {fillStyle: lightness > 50 ? "#000" : "#fff", font: `${cell / 3}px sans-serif`, textAlign: "center", textBaseline: "middle"});
      context.fillText(code, cell * (column + 0.5), cell * (row + 0.5));
    }
  }
  for (const [colour, lineWidth] of [["#fff", 8], ["#d00", 4]]) {
    Object.assign(context, {strokeStyle: colour, lineWidth});
    context.strokeRect(cell * mark[1] + 4, cell * mark[0] + 4, cell - 8, cell - 8);
  }
  get("code").max = num_embeddings - 1;
  if (!get("paint").checked) get("code").value = codeAt(grid, mark);
}

// From one picture to another.

const walk = latest(async () => {
  if (!ends.first || !ends.second) return;
  const {pictures} = await ask("walk", {...ends, how: get("how").value, label: label()});
  get("way").replaceChildren(...pictures.map((bytes, i) => {
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Step ${i + 1} of ${pictures.length}`);
    show(canvas, bytes);
    return canvas;
  }));
});

function prepareWalk() {
  get("walk-box").hidden = false;
  const put = (end, bytes) => { ends[end] = bytes; show(get(end), bytes); walk(); };
  for (const end of ["first", "second"]) {
    get(`${end}-own`).onclick = () => {
      if (picture) put(end, picture);
      else say("There is no picture of yours yet: draw one, upload one, or take an example.");
    };
    get(`${end}-file`).onchange = async (event) => {
      if (!event.target.files.length) return;
      try { put(end, await bytesOfFile(event.target.files[0])); say(""); } catch (error) { say(error.message); }
    };
  }
  get("how").onchange = () => walk();
}

const drawSample = latest(async () => {
  const {picture: bytes} = await ask("sample", {label: label()});
  show(get("decoded"), bytes);
  get("sample").dataset.times = Number(get("sample").dataset.times ?? 0) + 1;
});

async function begin() {
  told = await ask("describe");
  document.title = `${told.name}: keras_vae explorer`;
  get("name").textContent = told.name;
  const kind = told.channels === 1 ? (told.is_binary ? "black and white" : "grey") : "colour";
  get("family").textContent = `${told.family}, ${told.height} × ${told.width}, ${kind}`;
  if (told.classes) {
    get("class-box").hidden = false;
    if (!told.needs_label) get("class").add(new Option("none", ""));
    for (let i = 0; i < told.classes; i++) get("class").add(new Option(i, i));
    get("class").onchange = () => {
      encode();
      if (told.kind === "latents") decode();
      walk();
    };
  }
  preparePad();
  get("sample").hidden = !told.can_sample;
  get("sample").onclick = () => drawSample();
  const empty = new Array(told.width * told.height * told.channels).fill(0);
  for (const id of ["seen", "again", "decoded", "first", "second"]) show(get(id), empty);
  if (told.kind === "latents") prepareSliders();
  if (told.kind === "codes") {
    get("output-title").textContent = "What the model makes of the codes";
    prepareCodes();
  }
  if (told.kind === "other") get("output-title").textContent = "What the model draws";
  if (told.can_walk) prepareWalk();
  if (told.kind !== "latents") get("example").click();
  document.body.dataset.ready = "yes";
}

begin().catch((error) => say(error.message));
