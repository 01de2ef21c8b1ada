import express from "express";
const body = Buffer.from(process.argv[3]!, "base64");
const app = express();
app.disable("x-powered-by");
if (process.argv[4] === "send") app.get("/v1/namespaces/:ns/items/:key", (req, res) => { res.type("json").send(body); });
else app.get("/v1/namespaces/:ns/items/:key", (req, res) => { res.setHeader("Content-Type", "application/json"); res.setHeader("Content-Length", body.length); res.end(body); });
app.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("up"));
