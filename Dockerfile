# The app on Microsoft's Functions host, for those who run it on Kubernetes or on a machine of
# their own. docs/deploy.md says how; on Azure Functions itself no image is needed.
FROM mcr.microsoft.com/azure-functions/python:4-python3.11

# the host's id is else made from the machine's name: by it containers share locks and function keys
ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsWebHost__hostid=mail-connector \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    FUNCTIONS_WORKER_RUNTIME=python \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1

WORKDIR /home/site/wwwroot

# packages first: they change seldom, and their layer is kept
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --no-deps --requirement requirements.lock

COPY host.json function_app.py ./
COPY shared ./shared

EXPOSE 80
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:80/', timeout=4)"]
